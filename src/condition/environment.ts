/** What a condition may name and call: the CEL environment, once, for those who check conditions and who run them. */
import { CelScalar, celEnv, mapType } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';

export const environment = celEnv({
  variables: {
    subject: CelScalar.STRING,
    action: CelScalar.STRING,
    object: CelScalar.STRING,
    now: CelScalar.DYN,
    context: mapType(CelScalar.STRING, CelScalar.DYN),
  },
  funcs: strings,
});
