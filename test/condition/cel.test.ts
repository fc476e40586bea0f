import { describe, expect, it } from 'vitest';
import { createConditionCompiler } from '../../src/condition/cel.ts';
import type { Attributes } from '../../src/model/condition.ts';

const compile = createConditionCompiler();
const evaluate = (text: string, attributes: Attributes = {}) =>
  compile(text)({ subject: 'user:alice', action: 'read', object: 'doc:1', nowMs: Date.UTC(2026, 5, 1), attributes });

describe('a condition', () => {
  it.each<[string, Attributes, boolean]>([
    ['subject == "user:alice" && action == "read" && object.startsWith("doc:")', {}, true],
    ['context.ip == "10.0.0.7"', { ip: '10.0.0.7' }, true],
    ['context.level >= 3', { level: 2 }, false],
    ['context.level == 3', { level: 3 }, true],
    ['"admins" in context.teams', { teams: ['ops', 'admins'] }, true],
    ['context.teams.exists(team, team == subject)', { teams: ['user:alice'] }, true],
    ['context.request.method in ["GET", "HEAD"]', { request: { method: 'POST' } }, false],
    ['has(context.vip) && context.vip', {}, false],
    ['now < timestamp("2027-01-01T00:00:00Z")', {}, true],
    ['now.getHours("UTC") < 6', {}, true],
    ['object.matches("doc:[0-9]+")', {}, true],
    ['object.matches("[0-9]")', {}, true],
    ['context.level + 1.0 == 4', { level: 3 }, true],
    ['context.toString == "x"', { toString: 'x' }, true],
  ])('%s on %j is %s', (text, attributes, expected) => {
    expect(evaluate(text, attributes)).toBe(expected);
  });

  it.each<[string, Attributes]>([
    ['context.vip', {}],
    ['context.vip', { vip: 'yes' }],
    ['context.level > 1', { level: 'high' }],
    ['context.request.method == "GET"', { request: {} }],
    ['context.constructor == "x"', {}],
    ['object.matches(context.regex)', { regex: '(a?a?a?a?){900}' }],
  ])('%s on %j cannot be evaluated, and says what it needs', (text, attributes) => {
    expect(() => evaluate(text, attributes)).toThrow(
      expect.objectContaining({ code: 'CONDITION_FAILED', metadata: { field: 'context.attributes' } }),
    );
  });

  it.each([
    ['subject ==', /is not CEL/],
    ['sbject == "x"', /names "sbject", which is not known/],
    ['ip == "10.0.0.7"', /attributes are context.<name>/],
    ['context.a.all(x, context.b.all(y, x == y))', /iterates within an iteration/],
    [Array.from({ length: 60 }, (_, i) => `context.a${i}`).join(' && '), /more than 100 parts/],
  ])('%s is refused when the policy is compiled', (text, why) => {
    expect(() => compile(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringMatching(why) }),
    );
  });

  it('is compiled once for equal texts', () => {
    expect(compile('context.vip')).toBe(compile('context.vip'));
  });

  it('takes a bounded time on the largest attributes', () => {
    const list = Array.from({ length: 256 }, (_, i) => i);
    const hostile = `context.list.filter(x, ${Array.from({ length: 12 }, () => 'x + 1.0 > 0').join(' && ')}).size() == 256`;
    const startedMs = performance.now();
    expect(evaluate(hostile, { list })).toBe(true);
    // Measured at some 20 ms; without the bounds it would be minutes.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
