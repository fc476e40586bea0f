/** What a condition may name and call: the CEL environment, once, for those who check conditions and who run them. */
import { CelScalar, celEnv, celMethod, mapType } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { regexFinder } from '../regex/re2.ts';

const finderOf = regexFinder(100);

// The library's own bounds no expression, and compiles it whenever it is asked.
const matches = celMethod('matches', CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (regex) {
  return finderOf(regex)(this);
});

export const environment = celEnv({
  variables: {
    subject: CelScalar.STRING,
    action: CelScalar.STRING,
    object: CelScalar.STRING,
    now: CelScalar.DYN,
    context: mapType(CelScalar.STRING, CelScalar.DYN),
  },
  funcs: [...strings, matches],
});
