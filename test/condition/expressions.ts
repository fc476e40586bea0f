// Random CEL expressions about declared attributes, mostly of types that fit, as text; and values for them.
import fc from 'fast-check';
import { parseAttributeType } from '../../src/model/attribute-type.ts';
import type { Attributes, AttributeTypes } from '../../src/model/condition.ts';

export const declared: AttributeTypes = new Map(
  Object.entries({
    name: 'string',
    level: 'int',
    share: 'double',
    vip: 'bool',
    until: 'timestamp',
    tags: 'list(string)',
    levels: 'list(int)',
    device: 'map',
    any: 'dyn',
  }).map(([name, type]) => [name, parseAttributeType(type)]),
);

export const attributes: fc.Arbitrary<Attributes> = fc.record({
  name: fc.constantFrom('', 'abc', '7'),
  level: fc.constantFrom(0, 1, -3, 7),
  share: fc.constantFrom(0, 0.5, 2),
  vip: fc.boolean(),
  until: fc.constantFrom('2026-06-01T00:00:00Z', '2027-01-01T00:00:00.5+02:00'),
  tags: fc.constantFrom<string[][]>([], ['a'], ['b', 'user:alice']),
  levels: fc.constantFrom<number[][]>([], [0], [1, 2]),
  device: fc.constantFrom<Attributes[]>({}, { os: 'x', level: 3 }),
  any: fc.constantFrom<Attributes[string][]>(null, 1, 'abc', true, ['a'], { os: 'x' }),
});

const kinds = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'time', 'span', 'list', 'map', 'dyn'] as const;
type Kind = (typeof kinds)[number];

/** Forms of each kind; "{int}" stands for an expression that mostly is an int, "{any}" for any. */
const leaves: Readonly<Record<Kind, readonly string[]>> = {
  bool: ['true', 'false', 'context.vip', 'has(context.name)', 'context["vip"]'],
  int: ['0', '1', '-3', 'context.level'],
  uint: ['0u', '2u'],
  double: ['0.5', '2.0', 'context.share'],
  string: ['"a"', '""', 'subject', 'action', 'context.name', 'x'],
  bytes: ['b"a"', 'b""'],
  time: ['now', 'context.until', 'timestamp("2026-06-01T00:00:00Z")'],
  span: ['duration("60s")', 'duration("0s")'],
  list: ['[]', 'context.tags', 'context.levels', '[1, "a"]'],
  map: ['{}', 'context', 'context.device', '{"a": 1}', '{1: "a", 2.0: "b"}', '{true: 1u}'],
  dyn: ['context.any', 'null', 'dyn(1)', 'context.device.os', 'now.seconds', 'type(1)'],
};
const forms: Readonly<Record<Kind, readonly string[]>> = {
  bool: [
    '{bool} && {bool}',
    '{bool} || {bool}',
    '!{bool}',
    '{int} < {double}',
    '{string} <= {string}',
    '{time} > {time}',
    '{uint} >= {int}',
    '{string} == {string}',
    '{int} == {double}',
    '{list} == {list}',
    '{any} != {any}',
    '{any} == {any}',
    '{string} in {list}',
    '{any} in {any}',
    '{string} in {map}',
    '{string}.startsWith({string})',
    '{string}.matches("a+")',
    'bool({string})',
    '{list}.exists(x, {bool})',
    '{list}.all(x, x == {any})',
    '{map}.all(x, {bool})',
    '{list}.exists_one(x, x == {string})',
    'has({map}.os)',
    '{any}.contains({any})',
  ],
  int: [
    '{int} + {int}',
    '{int} % {int}',
    '-({int})',
    'size({list})',
    '{string}.size()',
    'int({string})',
    'int({any})',
    '{time}.getHours("UTC")',
    '{span}.getSeconds()',
    '{string}.indexOf({string})',
    'context.levels[{int}]',
  ],
  uint: ['{uint} * {uint}', 'uint({int})'],
  double: ['{double} / {double}', '-({double})', 'double({int})', '{double} + {any}'],
  string: [
    '{string} + {string}',
    'string({any})',
    '{string}.lowerAscii()',
    '{string}.substring({int})',
    '{list}.join(",")',
    'context.tags[{int}]',
    '"%s".format({list})',
  ],
  bytes: ['bytes({string})', '{bytes} + {bytes}'],
  time: ['{time} + {span}', 'timestamp({string})', '{time} - {span}'],
  span: ['{time} - {time}', '{span} + {span}', 'duration({string})'],
  list: [
    '[{any}]',
    '[{string}, {string}]',
    '{list} + {list}',
    '{list}.map(x, {any})',
    '{list}.filter(x, {bool})',
    '{list}.map(x, [x])',
    '{list}.map(x, {bool}, x)',
    '{string}.split(",")',
    '{map}.map(x, x)',
  ],
  map: ['{{string}: {any}}', '{{any}: {int}}', '{{double}: {string}}'],
  dyn: [
    '{map}[{any}]',
    '{list}[{any}]',
    '{any}[{any}]',
    '{bool} ? {any} : {any}',
    '{map}.os',
    '{any}.size()',
    'type({any})',
  ],
};

const made = new Map<string, fc.Arbitrary<string>>();

function expression(kind: Kind, depth: number): fc.Arbitrary<string> {
  const key = `${kind}${depth}`;
  let found = made.get(key);
  if (found === undefined) {
    const leaf = fc.constantFrom(...leaves[kind]);
    const form = fc.constantFrom(...forms[kind]).chain((text) => filled(text, depth - 1));
    found = depth === 0 ? leaf : fc.oneof({ arbitrary: leaf, weight: 1 }, { arbitrary: form, weight: 3 });
    made.set(key, found);
  }
  return found;
}

function filled(form: string, depth: number): fc.Arbitrary<string> {
  const parts = form.split(new RegExp(`\\{(${kinds.join('|')}|any)\\}`));
  const arbitraries = parts.map((part, i) => {
    if (i % 2 === 0) return fc.constant(part);
    const anything = fc.constantFrom(...kinds).chain((kind) => expression(kind, depth));
    const inner =
      part === 'any'
        ? anything
        : fc.oneof({ arbitrary: expression(part as Kind, depth), weight: 12 }, { arbitrary: anything, weight: 1 });
    return inner.map((text) => (/^[\w".[\]]+$/.test(text) ? text : `(${text})`));
  });
  return fc.tuple(...arbitraries).map((texts) => texts.join(''));
}

/** An expression of any type; `x` may be free in it. */
export const anyExpression: fc.Arbitrary<string> = fc.oneof(
  expression('bool', 3),
  fc.constantFrom(...kinds).chain((kind) => expression(kind, 3)),
);
