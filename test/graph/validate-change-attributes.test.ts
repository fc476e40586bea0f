// What is said of changes to declared attributes, and of conditions that are put among them.
import { describe, expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { applyChanges } from '../../src/graph/apply.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import { validateChanges } from '../../src/graph/validate-changes.ts';
import type { Change } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { suggest } from '../../src/policy-file/suggest.ts';

const put = (record: EntityRecord): Change => ({ op: 'put', record });
const remove = (record: EntityRecord): Change => ({ op: 'delete', kind: record.kind, key: entityKey(record) });
const viewer: EntityRecord = { kind: 'role', name: 'viewer', permissions: ['doc:read'] };
const bindingIf = (subject: string, condition: string): EntityRecord => {
  return { kind: 'binding', subject, role: 'viewer', scope: '*', condition };
};

function snapshotOf(records: readonly EntityRecord[]): Snapshot {
  return applyChanges(emptySnapshot(graphOptions), records.map(put), { epoch: 'e', number: 1 });
}

/** "index kind field: message" of every problem. */
function problemsOf(changes: readonly Change[], from: Snapshot): string[] {
  const after = applyChanges(from, changes, { epoch: 'e', number: 2 });
  const { problems } = validateChanges(from, after, changes, { suggest });
  return problems.map(({ index, kind, field, message }) => `${index} ${[kind, ...field].join('.')}: ${message}`);
}

describe('attributes that change', () => {
  const attribute = (name: string, type: string): EntityRecord => ({ kind: 'attribute', name, type });
  const trusted = bindingIf('user:al', 'context.level > 3');
  const office = bindingIf('user:bob', 'context.network == "office"');
  const declaring = snapshotOf([viewer, attribute('level', 'int'), attribute('network', 'string'), trusted, office]);
  const bindingOf = (subject: string) => `binding ["${subject}","viewer","*","allow"] no longer fits`;

  test.each<[string, Change[], string[]]>([
    ['is declared as another number', [put(attribute('level', 'double'))], []],
    ['is declared besides', [put(attribute('vip', 'bool'))], []],
    ['goes with its condition', [remove(attribute('level', 'int')), remove(trusted)], []],
    ['goes with all others', [remove(attribute('level', 'int')), remove(attribute('network', 'string'))], []],
    [
      'is declared as what conditions cannot take',
      [put(attribute('vip', 'bool')), put(attribute('level', 'string'))],
      [
        `1 attribute: ${bindingOf('user:al')}: condition "context.level > 3" applies > to string and int, which it does not take`,
      ],
    ],
    [
      'goes while a condition names it',
      [remove(attribute('network', 'string'))],
      [
        `0 attribute: ${bindingOf('user:bob')}: condition "context.network == \\"office\\"": "context.network" names attribute "network", which is not declared`,
      ],
    ],
    [
      'is not what a new condition needs',
      [put(bindingIf('user:eve', 'context.levle > 3'))],
      [
        '0 binding.condition: condition "context.levle > 3": "context.levle" names attribute "levle", which is not declared; did you mean "level"?',
      ],
    ],
  ])('one that %s', (_, changes, expected) => {
    expect(problemsOf(changes, declaring)).toEqual(expected);
  });

  test('the first that is declared makes all others unknown', () => {
    const open = snapshotOf([viewer, trusted, office]);
    expect(problemsOf([put(attribute('level', 'int'))], open)).toEqual([
      `0 attribute: ${bindingOf('user:bob')}: condition "context.network == \\"office\\"": "context.network" names attribute "network", which is not declared`,
    ]);
  });
});
