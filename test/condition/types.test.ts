// What is refused for its types when a policy is compiled or judged, and how that is said.
import { describe, expect, it, test } from 'vitest';
import { checkCondition, createConditionCompiler } from '../../src/condition/cel.ts';
import { parseAttributeType } from '../../src/model/attribute-type.ts';
import type { Attributes, AttributeTypes } from '../../src/model/condition.ts';
import { suggest } from '../../src/policy-file/suggest.ts';

const compile = createConditionCompiler();
const typesOf = (declared: Readonly<Record<string, string>>): AttributeTypes =>
  new Map(Object.entries(declared).map(([name, type]) => [name, parseAttributeType(type)]));
const types = typesOf({
  network: 'string',
  level: 'int',
  share: 'double',
  tags: 'list(string)',
  until: 'timestamp',
  device: 'map',
  'client.ip': 'string',
});
const problemOf = (text: string) => checkCondition(text, types, (name) => suggest(name, types.keys()));
const evaluate = (text: string, attributes: Attributes, given: { types?: AttributeTypes } = { types }) =>
  compile(text)({
    subject: 'user:a',
    action: 'read',
    object: '',
    nowMs: Date.UTC(2026, 5, 1),
    attributes,
    ...given,
  });

describe('a condition that cannot work, whatever is sent,', () => {
  it.each([
    ['subject', '"subject" is string, and a condition is a bool'],
    ['subject + 1 > 2', '"subject + 1" applies + to string and int, which it does not take'],
    ['subject == 3', '"subject == 3" compares string with int, which are never equal'],
    ['now > "2027"', '"now > \\"2027\\"" applies > to timestamp and string, which it does not take'],
    ['1 + 1.0 == 2.0', 'convert one with int() or double()'],
    ['subject.beginsWith("u")', 'calls beginsWith, which does not exist'],
    ['subject.startsWith(3)', 'calls startsWith(int) on string; there is string.startsWith(string)'],
    ['startsWith(subject, "a")', 'calls startsWith(string, string); there is string.startsWith(string)'],
    ['subject && true', '"subject" is string, where a bool is needed'],
    ['context.tags.all(t, t)', undefined],
    ['[1, 2].all(n, n)', '"n" is int, where a bool is needed'],
    ['subject.exists(c, c == "a")', 'iterates over string; it takes a list or a map'],
    ['subject.name == "x"', '"subject.name" looks for a field of string, which has none'],
    ['has(subject.name)', '"has(subject.name)" looks for a field of string, which has none'],
    ['3 in ["a"]', 'looks for int in list(string), which never holds one'],
    ['{"a": 1}[2] == 1', 'looks up int in map(string, int), which is not possible'],
    ['[subject].map(s, s.size())[0] == "a"', 'compares int with string, which are never equal'],
    ['context.level > 1 ? 1 : 2', 'is int, and a condition is a bool'],
    ['Mapping{a: 1} == 1', 'makes a Mapping, which does not exist'],
  ])('%s, is refused when it is compiled', (text, why) => {
    if (why === undefined) expect(() => compile(text)).not.toThrow();
    else {
      expect(() => compile(text)).toThrow(
        expect.objectContaining({ code: 'INVALID_POLICY', message: expect.stringContaining(why) }),
      );
    }
  });

  it.each([
    'context.a + context.b == context.c',
    'context.level == 3 || context.level == "high"',
    '1 == 1.0 && 2u < 3.0',
    '(context.a ? 1 : "x") == "x"',
    '[] == [1] || {} == {"a": 1}',
    '[1, "a"].exists(x, x == "a")',
    'context.a.b.c[0].d',
    'dyn(subject) == 3',
    'timestamp("2026-01-01T00:00:00Z") + duration("60s") < now',
    'string(now.getHours("UTC")) in ["8", "9"]',
  ])('unlike %s, which may', (text) => {
    expect(() => compile(text)).not.toThrow();
  });
});

test('what does not compile is not held against attributes: the compiler says why', () => {
  expect(problemOf('subject ==')).toBeUndefined();
  expect(problemOf('sbject == context.nothing')).toBeUndefined();
  expect(problemOf('subject == 3 || context.nothing')).toBeUndefined();
});

describe('where attributes are declared, a condition', () => {
  it.each<[string, string | undefined]>([
    ['context.network == "office"', undefined],
    ['context.level > 3 && context.share > 0.5', undefined],
    ['context.level % 2 == 0', undefined],
    ['now < context.until', undefined],
    ['"x" in context.tags && context.tags.all(t, t.size() > 1)', undefined],
    ['has(context.device.os) && context.device.os == 3', undefined],
    ['context["client.ip"] == "10.0.0.7"', undefined],
    ['has(context.level) && context["level"] > 1', undefined],
    ['context.netwrok == "office"', 'names attribute "netwrok", which is not declared; did you mean "network"?'],
    ['context["netwrok"] == "office"', 'names attribute "netwrok", which is not declared; did you mean "network"?'],
    ['has(context.nothing)', 'names attribute "nothing", which is not declared'],
    ['"nothing" in context', 'names attribute "nothing", which is not declared'],
    ['context.level > "x"', 'applies > to int and string'],
    ['context.level == "x"', 'compares int with string'],
    ['context.share + 1 > 2.0', 'applies + to double and int, which it does not take; convert one'],
    ['context.tags == "x"', 'compares list(string) with string'],
    ['3 in context.tags', 'looks for int in list(string)'],
    ['context.tags.exists(t, t > 3)', '"t > 3" applies > to string and int'],
    ['context.until > 3', 'applies > to timestamp and int'],
    // Another context than that of the query.
    ['[{"nothing": 1}].all(context, context.nothing == 1)', undefined],
  ])('%s is held against them', (text, why) => {
    if (why === undefined) expect(problemOf(text)).toBeUndefined();
    else expect(problemOf(text)).toContain(why);
    expect(() => compile(text)).not.toThrow();
  });

  it.each<[string, Attributes, boolean]>([
    ['context.level > 3', { level: 4 }, true],
    ['context.level + 1 == 5', { level: 4 }, true],
    ['context.level % 2 == 0', { level: -4 }, true],
    ['context.share + 1.0 == 1.5', { share: 0.5 }, true],
    ['now < context.until', { until: '2027-01-01T00:00:00.000000001+02:00' }, true],
    ['context.until == timestamp("2027-01-01T00:00:00Z")', { until: '2027-01-01T02:00:00+02:00' }, true],
    ['context.tags.size() == 2', { tags: ['a', 'b'] }, true],
    ['context.device.level == 3.0', { device: { level: 3 } }, true],
    ['context.other == 1.0', { other: 1 }, true],
  ])('%s on %j is %s: values are what they were declared to be', (text, attributes, expected) => {
    expect(evaluate(text, attributes)).toBe(expected);
  });

  it('sees numbers as doubles and instants as text where nothing is declared', () => {
    expect(evaluate('context.level + 1.0 == 5.0', { level: 4 }, {})).toBe(true);
    expect(evaluate('context.until.endsWith("Z")', { until: '2027-01-01T00:00:00Z' }, {})).toBe(true);
  });

  it.each<[string, string]>([
    ['context.level > 3', 'level'],
    ['context.device.os == "x"', 'os'],
    ['context["client.ip"] == "x"', 'client.ip'],
  ])('%s that is not given what it needs names it', (text, missing) => {
    expect(() => evaluate(text, { device: {} })).toThrow(
      expect.objectContaining({ code: 'CONDITION_FAILED', message: expect.stringContaining(`not found: ${missing};`) }),
    );
  });
});
