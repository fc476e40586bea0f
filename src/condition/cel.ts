/**
 * Conditions in CEL (https://cel.dev). Compiled when the policy is: names,
 * functions and size are checked then, so that evaluation is bounded and can
 * only fail for what the caller sent. Owns the CEL packages; injected into the
 * graph, which imports no packages. Knows nothing of bindings.
 */

import { type CelInput, CelScalar, celEnv, isCelError, mapType, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Condition, ConditionCompiler, ConditionInput } from '../model/condition.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { checkExpression } from './check-expression.ts';

const env = celEnv({
  variables: {
    subject: CelScalar.STRING,
    action: CelScalar.STRING,
    object: CelScalar.STRING,
    now: CelScalar.DYN,
    context: mapType(CelScalar.STRING, CelScalar.DYN),
  },
  funcs: strings,
});

/** What an expression may name. */
const variables: ReadonlySet<string> = new Set(['subject', 'action', 'object', 'now', 'context']);

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

function compile(text: string): Condition {
  const evaluate = planOf(text);
  return ({ subject, action, object, nowMs, attributes }: ConditionInput) => {
    const result = evaluate({ subject, action, object, now: timestampFromMs(nowMs), context: toCel(attributes) });
    if (typeof result === 'boolean') return result;
    throw failed(text, isCelError(result) ? result.message : 'gave a value that is neither true nor false');
  };
}

function planOf(text: string) {
  try {
    const parsed = parse(text);
    checkExpression(parsed.expr, text, variables);
    return plan(env, parsed);
  } catch (error) {
    if (error instanceof PosternError) throw error;
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

// Attributes are JSON: objects become maps, so that a missing key is an error and not "undefined".
function toCel(attributes: ConditionInput['attributes']): Map<string, CelInput> {
  return new Map(Object.entries(attributes).map(([name, value]) => [name, toCelValue(value)]));
}

function toCelValue(value: ConditionInput['attributes'][string]): CelInput {
  if (Array.isArray(value)) return value.map(toCelValue);
  if (typeof value === 'object' && value !== null) return toCel(value as ConditionInput['attributes']);
  return value as CelInput;
}
