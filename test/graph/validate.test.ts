import { describe, expect, test } from 'vitest';
import { type ValidateOptions, validate } from '../../src/graph/validate.ts';
import type { BindingRecord, EntityRecord, RoleRecord } from '../../src/model/entity.ts';

const options: ValidateOptions = {
  compileRegex: (text) => {
    if (text.includes('(')) throw new Error(`${text} does not compile`);
    return { instructions: text.length };
  },
  compileCondition: () => undefined,
  checkCondition: () => undefined,
  suggest: (name, candidates) => [...candidates].find((candidate) => candidate.length === name.length),
};

const role = (name: string, fields: Partial<RoleRecord> = {}): RoleRecord => {
  return { kind: 'role', name, permissions: [], ...fields };
};
const binding = (fields: Partial<BindingRecord> = {}): BindingRecord => {
  return { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: '*', ...fields };
};
const member = (group: string, name: string): EntityRecord => ({ kind: 'member', group, member: name });
const object = (name: string, ...parents: string[]): EntityRecord => {
  return { kind: 'object', object: name, ...(parents.length ? { parents: parents.map((p) => ({ object: p })) } : {}) };
};
const viewer = role('viewer', { permissions: ['doc:read'] });
const doc: EntityRecord = { kind: 'type', name: 'doc', actions: ['read', 'write'], parents: ['folder'] };
const folder: EntityRecord = { kind: 'type', name: 'folder', actions: ['list', 'peek'] };
const long = 'x'.repeat(300);

function problemsOf(...records: EntityRecord[]): string[] {
  return validate(records, options).problems.map(({ index, field, message, suggestion }) => {
    const hint = suggestion === undefined ? '' : ` -> ${suggestion}`;
    return `${index} ${field.join('.')}: ${message}${hint}`;
  });
}

describe('a legal graph', () => {
  test('has no problems', () => {
    const records: EntityRecord[] = [
      { kind: 'settings', mode: 'shadow' },
      doc,
      folder,
      viewer,
      role('editor', { includes: ['viewer'], permissions: ['doc:*', 'folder:p*', '*:*', '*'], except: ['doc:write'] }),
      role('long', {
        permissions: [{ objects: { type: 'doc', regex: 'a+' }, actions: ['read'] }],
        grantAction: 'share',
      }),
      role('below', { permissions: [{ objects: 'folder:a', actions: ['list', 'write'] }] }),
      { kind: 'group', group: 'group:ops', description: 'people' },
      member('group:ops', 'user:*'),
      member('group:ops', 'group:sre'),
      member('group:all', '*'),
      object('folder:a'),
      object('doc:1', 'folder:a'),
      binding({ scope: 'doc:1', cascade: false, expiresAt: 1, name: 'n', note: 'two\nlines' }),
      binding({ scope: { object: 'doc:a*' }, subject: 'anonymous', effect: 'deny' }),
      binding({ scope: 'printer:lobby', subject: 'group:nobody-knows' }),
      binding({ scope: 'group:ops' }),
    ];
    expect(problemsOf(...records)).toEqual([]);
  });

  test('may reach a group, a role or an object along several ways', () => {
    const roles = [
      role('a', { includes: ['b', 'c'] }),
      role('b', { includes: ['d'] }),
      role('c', { includes: ['d'] }),
      role('d'),
    ];
    const groups = [
      member('group:a', 'group:b'),
      member('group:a', 'group:c'),
      member('group:b', 'group:d'),
      member('group:c', 'group:d'),
    ];
    const objects = [object('x:1', 'x:2', 'x:3'), object('x:2', 'x:4'), object('x:3', 'x:4'), object('x:4')];
    expect(problemsOf(...roles, ...groups, ...objects)).toEqual([]);
  });
});

describe('names and values', () => {
  const cases: [string, EntityRecord[], string[]][] = [
    [
      'a type',
      [{ kind: 'type', name: '1doc' }],
      ['0 name: type "1doc" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -'],
    ],
    ['a type’s action', [{ kind: 'type', name: 'doc', actions: ['read', ''] }], ['0 actions.1: action "" is empty']],
    [
      'a type’s parent',
      [{ kind: 'type', name: 'doc', parents: ['a b'] }],
      ['0 parents.0: parent type "a b" is not a legal type; a type is a letter, then up to 127 of A-Z a-z 0-9 _ . / -'],
    ],
    ['a role’s name', [role('')], ['0 name: role "" is empty']],
    [
      'a permission',
      [role('r', { permissions: ['doc:read', 'read'] })],
      ['0 permissions.1: permission "read" is not "type:action"; write for example "doc:read", "doc:*" or "*"'],
    ],
    [
      'an exception',
      [role('r', { except: [':x'] })],
      ['0 except.0: permission ":x" is not "type:action"; write for example "doc:read", "doc:*" or "*"'],
    ],
    [
      'a long permission’s scope',
      [role('r', { permissions: [{ objects: 'doc', actions: ['a'] }] })],
      [
        '0 permissions.0.objects: scope "doc" has no colon; write it as "type:id"; a scope is "*", "type:*", "type:id", "type:pattern*" or {type, regex}',
      ],
    ],
    [
      'a long permission’s action',
      [role('r', { permissions: [{ objects: '*', actions: ['a', '\u0007'] }] })],
      ['0 permissions.0.actions.1: action "\\u0007" holds a control character at position 1'],
    ],
    ['a grant action', [role('r', { grantAction: '' })], ['0 grantAction: grant action "" is empty']],
    [
      'a group without its type',
      [{ kind: 'group', group: 'ops' }],
      ['0 group: group "ops" is not a group; write it as "group:<id>"'],
    ],
    [
      'a group of another type',
      [member('team:ops', 'user:a')],
      ['0 group: group "team:ops" is not a group; write it as "group:<id>"'],
    ],
    [
      'a group that is a wildcard',
      [member('group:*', 'user:a')],
      ['0 group: group "group:*" is a wildcard; name one group'],
    ],
    ['a member', [member('group:a', 'alice')], ['0 member: member "alice" has no colon; write it as "type:id"']],
    ['an object', [object('doc:*')], ['0 object: object "doc:*" is a whole type; name one object']],
    ['a subject', [viewer, binding({ subject: 'user:' })], ['1 subject: subject "user:" has an empty id']],
    [
      'a regular expression',
      [viewer, binding({ scope: { type: 'doc', regex: 'a(' } })],
      ['1 scope.regex: a( does not compile'],
    ],
    ['a binding’s name', [viewer, binding({ name: '' })], ['1 name: binding name "" is empty']],
    [
      'an expiry that is no number',
      [viewer, binding({ expiresAt: Number.NaN })],
      ['1 expiresAt: expiry NaN is not a time after 1970 and before the year 10000, in whole milliseconds'],
    ],
    [
      'an expiry without end',
      [{ kind: 'member', group: 'group:a', member: 'user:a', expiresAt: Number.POSITIVE_INFINITY }],
      ['0 expiresAt: expiry Infinity is not a time after 1970 and before the year 10000, in whole milliseconds'],
    ],
    [
      'cascade on a type',
      [viewer, binding({ scope: 'doc:*', cascade: false })],
      ['1 cascade: cascade: false is for a binding on one object; this scope has no descendants to leave out'],
    ],
    [
      'cascade on a pattern',
      [viewer, binding({ scope: 'doc:a*', cascade: false })],
      ['1 cascade: cascade: false is for a binding on one object; this scope has no descendants to leave out'],
    ],
    [
      'a note that is too long',
      [viewer, binding({ note: '\u00e9'.repeat(2049) })],
      ['1 note: note is longer than 4096 bytes; shorten it'],
    ],
    [
      'half a character',
      [viewer, binding({ note: '\ud800' })],
      ['1 note: note holds half of a surrogate pair, which is not a character'],
    ],
  ];
  test.each(cases)('%s is refused where it is not legal', (_, records, expected) => {
    expect(problemsOf(...records)).toEqual(expected);
  });

  test('an id, a pattern and a regular expression have a longest length', () => {
    const problems = problemsOf(
      viewer,
      binding({ subject: `user:${long}` }),
      binding({ scope: `doc:*${long.repeat(4)}` }),
      binding({ scope: { type: 'doc', regex: long.repeat(4) } }),
    );
    expect(problems.map((problem) => problem.replace(/"[^"]*"/, '""').split(';')[0])).toEqual([
      '1 subject: subject "" has an id of more than 256 bytes',
      '2 scope: scope "" has an pattern of more than 1024 bytes',
      '3 scope: scope "" has an regular expression of more than 1024 bytes',
    ]);
  });

  test('a regular expression that many bindings use is compiled for each check, not for each binding', () => {
    let compiled = 0;
    const compileRegex = () => {
      compiled++;
      return { instructions: 1 };
    };
    const records = Array.from({ length: 10 }, (_, i) =>
      binding({ subject: `user:${i}`, scope: { type: 'doc', regex: 'a' } }),
    );
    expect(validate([viewer, ...records], { ...options, compileRegex }).problems).toEqual([]);
    expect(compiled).toBe(2);
  });
});

describe('references', () => {
  test('an unknown role is refused in a binding and in an inclusion, with what was meant', () => {
    expect(
      problemsOf(viewer, role('editor', { includes: ['veiwer'] }), binding({ role: 'edtior' }), binding({ role: 'x' })),
    ).toEqual([
      '1 includes.0: unknown role "veiwer" -> viewer',
      '2 role: unknown role "edtior" -> viewer',
      '3 role: unknown role "x"',
    ]);
  });

  test('a parent that is not registered is refused', () => {
    expect(problemsOf(object('doc:1', 'doc:2', 'doc:33'), object('doc:2'))).toEqual([
      '0 parents.1.object: parent "doc:33" is not registered; add it to objects',
    ]);
  });

  test('an identity that comes twice is refused, by kind', () => {
    const twice: EntityRecord[] = [viewer, viewer, binding(), binding({ note: 'again' }), binding({ name: 'other' })];
    expect(
      problemsOf(...twice, object('doc:1'), object('doc:1'), member('group:a', 'user:a'), member('group:a', 'user:a')),
    ).toEqual([
      '1 : role "viewer" is there twice; remove one',
      '3 : this binding (same subject, role, scope and effect) is there twice; remove one',
      '6 : object "doc:1" is there twice; remove one',
      '8 : member user:a of group:a is there twice; remove one',
    ]);
  });

  test('a cycle of roles, groups or objects is refused, and the message names the way', () => {
    const roles = [role('a', { includes: ['b'] }), role('b', { includes: ['c'] }), role('c', { includes: ['a', 'c'] })];
    expect(problemsOf(...roles)).toEqual([
      '2 includes.0: role includes itself: a -> b -> c -> a',
      '2 includes.1: role includes itself: c -> c',
    ]);
    expect(problemsOf(member('group:b', 'group:a'), member('group:a', 'group:b'))).toEqual([
      '1 member: group is a member of itself: group:a -> group:b -> group:a',
    ]);
    expect(problemsOf(object('x:1', 'x:1'), object('x:2', 'x:3'), object('x:3', 'x:2'))).toEqual([
      '0 parents.0.object: object is its own ancestor: x:1 -> x:1',
      '2 parents.0.object: object is its own ancestor: x:2 -> x:3 -> x:2',
    ]);
  });
});

describe('size', () => {
  test('all problems are counted, and the first thousand told', () => {
    const records = Array.from({ length: 1500 }, (_, i) => binding({ subject: `user:${i}` }));
    const { problems, omitted } = validate(records, options);
    expect([problems.length, omitted]).toEqual([1000, 500]);
    expect(validate(records, { ...options, maxProblems: 3 })).toMatchObject({ omitted: 1497 });
  });

  test('suggestions stop before they take minutes', () => {
    let compared = 0;
    const suggest = (_: string, candidates: Iterable<string>) => {
      for (const _candidate of candidates) compared++;
      return undefined;
    };
    const objects = Array.from({ length: 50_000 }, (_, i) => object(`doc:${i}`, `dox:${i}`));
    expect(validate(objects, { ...options, suggest }).omitted).toBe(49_000);
    expect(compared).toBeLessThanOrEqual(2_000_000);
  });

  test('a chain of 100,000 ends, and its cycle is told in a line', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `group:${i}`);
    const chain = names.slice(1).map((name, i) => member(name, names[i] as string));
    expect(problemsOf(...chain)).toEqual([]);
    const cycle = problemsOf(...chain, member('group:0', 'group:99999'));
    expect(cycle).toEqual([
      '99999 member: group is a member of itself: group:0 -> group:1 -> group:2 -> group:3 -> ... (99994 more) ... -> group:99998 -> group:99999 -> group:0',
    ]);
  });

  test('records are taken from any iterable, once', () => {
    function* once() {
      yield binding();
    }
    expect(validate(once(), options).problems).toHaveLength(1);
  });
});
