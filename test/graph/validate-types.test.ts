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
const object = (name: string, ...parents: string[]): EntityRecord => {
  return { kind: 'object', object: name, ...(parents.length ? { parents: parents.map((p) => ({ object: p })) } : {}) };
};
const viewer = role('viewer', { permissions: ['doc:read'] });
const doc: EntityRecord = { kind: 'type', name: 'doc', actions: ['read', 'write'], parents: ['folder'] };
const folder: EntityRecord = { kind: 'type', name: 'folder', actions: ['list', 'peek'] };

function problemsOf(...records: EntityRecord[]): string[] {
  return validate(records, options).problems.map(({ index, field, message, suggestion }) => {
    const hint = suggestion === undefined ? '' : ` -> ${suggestion}`;
    return `${index} ${field.join('.')}: ${message}${hint}`;
  });
}

describe('declared types', () => {
  const cases: [string, EntityRecord[], string[]][] = [
    [
      'an action that the type does not have',
      [role('r', { permissions: ['doc:raed'] })],
      ['2 permissions.0: type "doc" has no action "raed" -> read'],
    ],
    [
      'an exception of such an action',
      [role('r', { except: ['doc:raed'] })],
      ['2 except.0: type "doc" has no action "raed" -> read'],
    ],
    [
      'a pattern that matches no action',
      [role('r', { permissions: ['doc:raed*'] })],
      ['2 permissions.0: type "doc" has no action that matches "raed*"'],
    ],
    [
      'an action in the long form',
      [role('r', { permissions: [{ objects: 'doc:a*', actions: ['read', 'raed'] }] })],
      ['2 permissions.0.actions.1: type "doc" has no action "raed" -> read'],
    ],
    [
      'an action below an object that no type has',
      [role('r', { permissions: [{ objects: 'folder:a', actions: ['raed'] }] })],
      ['2 permissions.0.actions.0: type "folder" has no action "raed" -> read'],
    ],
    [
      'a type that resembles a declared one',
      [role('r', { permissions: ['dco:read'] })],
      ['2 permissions.0: type "dco" is not declared -> doc'],
    ],
    [
      'such a type in a scope',
      [viewer, binding({ scope: 'foldre:1' })],
      ['3 scope: type "foldre" is not declared -> folder'],
    ],
    ['such a type of an object', [object('dco:1')], ['2 object: type "dco" is not declared -> doc']],
    [
      'such a type as a parent type',
      [{ kind: 'type', name: 'page', parents: ['dco'] }],
      ['2 parents.0: type "dco" is not declared -> doc'],
    ],
    [
      'a parent of a type that is not allowed',
      [object('doc:1', 'doc:2'), object('doc:2')],
      ['2 parents.0.object: type "doc" may not have a parent of type "doc"; it may have: folder'],
    ],
  ];
  test.each(cases)('%s is refused', (_, records, expected) => {
    expect(problemsOf(doc, folder, ...records)).toEqual(expected);
  });

  test('a type that resembles none, or declares no actions, is open', () => {
    const records: EntityRecord[] = [
      doc,
      { kind: 'type', name: 'any' },
      role('r', { permissions: ['printer:whatever', 'any:thing', 'd*:raed'] }),
      object('printer:1'),
    ];
    expect(problemsOf(...records)).toEqual([]);
  });

  test('without declared types nothing is a typo', () => {
    expect(problemsOf(role('r', { permissions: ['dco:raed'] }), object('dco:1'))).toEqual([]);
  });
});
