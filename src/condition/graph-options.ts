/** The compilers that a graph is given: RE2 for expressions, CEL for conditions. For everyone who makes a snapshot. */
import type { GraphOptions } from '../graph/snapshot.ts';
import { compileRegex } from '../regex/re2.ts';
import { checkCondition, createConditionCompiler } from './cel.ts';

export const graphOptions: GraphOptions = {
  compileRegex,
  compileCondition: createConditionCompiler(),
  checkCondition,
};
