// Compiles what stdin names, in a process of its own: a JSON list of texts in, a list of what is wrong with each out.
import { text } from 'node:stream/consumers';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { outcomesOf } from './outcomes.ts';

const { conditions, regexes } = JSON.parse(await text(process.stdin)) as Record<'conditions' | 'regexes', string[]>;
process.stdout.write(
  JSON.stringify({
    conditions: outcomesOf(conditions, graphOptions.compileCondition),
    regexes: outcomesOf(regexes, graphOptions.compileRegex),
  }),
);
