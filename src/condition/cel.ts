/**
 * Conditions in CEL (https://cel.dev). Compiled when the policy is: names,
 * types and size are checked then, so that evaluation is bounded and can only
 * fail for what the caller sent. Owns the CEL packages, with the other files
 * here; injected into the graph, which imports no packages. Knows nothing of
 * bindings.
 */

import { isCelError, parse, plan } from '@bufbuild/cel';
import type { ParsedExpr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Condition, ConditionChecker, ConditionCompiler, ConditionInput } from '../model/condition.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { checkExpression } from './check-expression.ts';
import { checkNesting } from './check-nesting.ts';
import { checkTypes, variablesOf } from './check-types.ts';
import { environment } from './environment.ts';
import { toCel } from './values.ts';

const openVariables = variablesOf(undefined);

/** What an expression may name. */
const names: ReadonlySet<string> = new Set(openVariables.keys());

/** A compiler that compiles equal texts once: many bindings share a few conditions. */
export function createConditionCompiler(): ConditionCompiler {
  const compiled = new Map<string, WeakRef<Condition>>();
  // A condition that no snapshot holds any more takes its text along.
  const gone = new FinalizationRegistry<string>((text) => {
    if (compiled.get(text)?.deref() === undefined) compiled.delete(text);
  });
  return (text) => {
    const known = compiled.get(text)?.deref();
    if (known !== undefined) return known;
    const condition = compile(text);
    compiled.set(text, new WeakRef(condition));
    gone.register(condition, text);
    return condition;
  };
}

export const checkCondition: ConditionChecker = (text, types, nearest) => {
  const problemOf = (check: () => void): string | undefined => {
    try {
      check();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  };
  let parsed: ParsedExpr | undefined;
  const compiles = () => {
    parsed = parseChecked(text);
  };
  if (problemOf(compiles) !== undefined) return undefined;
  return problemOf(() => checkTypes(parsed as ParsedExpr, text, variablesOf(types), nearest));
};

function compile(text: string): Condition {
  const evaluate = planOf(text);
  return ({ subject, action, object, nowMs, attributes, types }: ConditionInput) => {
    const context = toCel(attributes, types);
    const result = evaluate({ subject, action, object, now: timestampFromMs(nowMs), context });
    if (typeof result === 'boolean') return result;
    throw failed(text, isCelError(result) ? result.message : 'gave a value that is neither true nor false');
  };
}

function planOf(text: string) {
  return asPolicyError(text, () => plan(environment, parseChecked(text)));
}

/** @throws PosternError INVALID_POLICY */
function parseChecked(text: string): ParsedExpr {
  checkNesting(text);
  return asPolicyError(text, () => {
    const parsed = parse(text);
    checkExpression(parsed.expr, text, names);
    checkTypes(parsed, text, openVariables, () => undefined);
    return parsed;
  });
}

function asPolicyError<T>(text: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof PosternError) throw error;
    // Where the stack ends is no property of the text: checkNesting should have refused it.
    if (error instanceof RangeError) {
      throw new PosternError('INVALID_POLICY', `condition ${quote(text)} nests too deeply; simplify it`, {}, error);
    }
    throw new PosternError('INVALID_POLICY', `condition ${quote(text)} is not CEL: ${messageOf(error)}`);
  }
}

function failed(text: string, why: string): PosternError {
  return new PosternError(
    'CONDITION_FAILED',
    `the condition ${quote(text)} cannot be evaluated: ${why}; send what it needs in context.attributes`,
    { field: 'context.attributes' },
  );
}
