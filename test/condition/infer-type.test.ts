// The types that are inferred against what evaluation gives: nothing that may work is refused, and nothing is mistyped.
import { type CelInput, celType, isCelError, isCelList, isCelMap, isCelUint, parse, plan } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { variablesOf } from '../../src/condition/check-types.ts';
import { environment } from '../../src/condition/environment.ts';
import { inferType, type Refusal } from '../../src/condition/infer-type.ts';
import { nameOf, plain, type StaticType } from '../../src/condition/static-type.ts';
import { toCel } from '../../src/condition/values.ts';
import type { Attributes } from '../../src/model/condition.ts';
import { runs } from '../reference/runs.ts';
import { anyExpression, attributes, declared } from './expressions.ts';

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.problem);
    this.refusal = refusal;
  }
}

const variables = new Map<string, StaticType>([...variablesOf(declared), ['x', plain.string]]);

/** The type of the whole, or what is refused; and what is known of every part, by the last look at it. */
function infer(expr: Expr) {
  const types = new Map<Expr, StaticType>();
  const refuse = (refusal: Refusal): never => {
    throw new Refused(refusal);
  };
  const note = (part: Expr, type: StaticType) => types.set(part, type);
  try {
    return { type: inferType(expr, variables, { refuse, nearest: () => undefined, note }), types };
  } catch (error) {
    if (error instanceof Refused) return { refusal: error.refusal, types };
    throw error;
  }
}

/** The value of an expression, or the message of its error. */
function evaluate(expr: Expr, sent: Attributes, x: CelInput): { value: unknown } | { error: string } {
  const values = { subject: 'user:alice', action: 'a', object: '', now: timestampFromMs(1_780_000_000_000), x };
  try {
    const value = plan(environment, expr)({ ...values, context: toCel(sent, declared) } as never);
    return isCelError(value) ? { error: value.message } : { value };
  } catch (error) {
    return { error: String(error) };
  }
}

function isOf(value: unknown, type: StaticType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'none':
      return true;
    case 'list':
      return isCelList(value) && [...value].every((each) => isOf(each, type.element));
    case 'map':
      return isCelMap(value) && [...value].every(([key, each]) => isOf(key, type.key) && isOf(each, type.value));
    case 'context':
      return isCelMap(value);
    case 'uint':
      return isCelUint(value);
    default: {
      const names: Readonly<Record<string, string>> = {
        null: 'null_type',
        timestamp: 'google.protobuf.Timestamp',
        duration: 'google.protobuf.Duration',
      };
      return celType(value as never).name === (names[type.kind] ?? type.kind);
    }
  }
}

/** Values that a free `x` may have inside of what was refused: it may be the variable of an iteration. */
const xs: readonly [string, readonly CelInput[]][] = [
  ['string', ['a', '', 'os']],
  ['int', [0n, 2n]],
  ['double', [0.5, 2]],
  ['bool', [true, false]],
  ['list(string)', [[], ['a']]],
  ['list(int)', [[], [1n]]],
];

function xsFor(part: Expr, types: ReadonlyMap<Expr, StaticType>): readonly CelInput[] | undefined {
  const uses = [...types].filter(([{ exprKind }]) => exprKind.case === 'identExpr' && exprKind.value.name === 'x');
  const inside = uses.filter(([use]) => JSON.stringify(part, hideBig).includes(`"id":"${use.id}"`));
  const names = new Set(inside.map(([, type]) => nameOf(type)));
  if (names.size === 0) return ['a'];
  const [name] = names;
  return names.size > 1 ? undefined : xs.find(([known]) => known === name)?.[1];
}

const hideBig = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

describe('inference', () => {
  it('refuses only what cannot work, and knows the types of what it accepts', () => {
    const seen = { accepted: 0, certain: 0, error: 0, constant: 0, 'not-bool': 0, undeclared: 0, values: 0 };
    fc.assert(
      fc.property(anyExpression, fc.array(attributes, { minLength: 3, maxLength: 3 }), (text, contexts) => {
        const { expr } = parse(text);
        if (expr === undefined) throw new Error('nothing was parsed');
        const { type, refusal, types } = infer(expr);
        if (refusal !== undefined) {
          const tried = xsFor(refusal.part, types);
          if (tried === undefined) return;
          seen[refusal.kind]++;
          const results = tried.flatMap((x) => contexts.map((sent) => evaluate(refusal.part, sent, x)));
          const values = results.flatMap((result) => ('value' in result ? [result.value] : []));
          if (refusal.kind === 'error') expect(values, refusal.problem).toEqual([]);
          if (refusal.kind === 'constant') expect(new Set(values).size, refusal.problem).toBeLessThan(2);
          if (refusal.kind === 'not-bool') for (const value of values) expect(typeof value).not.toBe('boolean');
          return;
        }
        seen.accepted++;
        const isCertain = [...types.values()].every((each) => !nameOf(each).includes('dyn'));
        if (isCertain) seen.certain++;
        for (const sent of contexts) {
          const result = evaluate(expr, sent, 'a');
          if ('value' in result) {
            seen.values++;
            expect(isOf(result.value, type), `${nameOf(type)}, evaluated to ${String(result.value)}`).toBe(true);
          } else if (isCertain) {
            expect(result.error).not.toMatch(/overload|type mismatch|unbound/);
          }
        }
      }),
      { numRuns: runs * 10 },
    );
    console.log(`inference: ${JSON.stringify(seen)}`);
    for (const [what, count] of Object.entries(seen))
      if (what !== 'undeclared') expect(count, what).toBeGreaterThan(runs / 25);
  }, 60_000);
});
