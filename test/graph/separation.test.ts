// Static separation of duty: against a plain second version of itself, and what it says in the cases that matter.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeparation, isStatic } from '../../src/graph/separation.ts';
import { type ValidateOptions, validate } from '../../src/graph/validate.ts';
import type { BindingRecord, ConstraintRecord, EntityRecord, RoleRecord } from '../../src/model/entity.ts';
import { graph, groups, roles, users } from '../reference/arbitraries.ts';
import { runs } from '../reference/runs.ts';

const options: ValidateOptions = {
  compileRegex: () => ({ instructions: 0 }),
  compileCondition: () => undefined,
  checkCondition: () => undefined,
  suggest: () => undefined,
};

const role = (name: string, ...includes: string[]): RoleRecord => {
  return { kind: 'role', name, permissions: [], ...(includes.length > 0 ? { includes } : {}) };
};
const binding = (subject: string, to: string, fields: Partial<BindingRecord> = {}): BindingRecord => {
  return { kind: 'binding', subject, role: to, scope: '*', ...fields };
};
const member = (group: string, name: string): EntityRecord => ({ kind: 'member', group, member: name });
const constraint = (...names: string[]): ConstraintRecord => ({ kind: 'constraint', name: 'payments', roles: names });

const duties = [role('cashier'), role('auditor'), role('clerk'), role('head-auditor', 'auditor')];

/** "position field: message" of every problem of the records after the roles and the constraint. */
function problemsOf(records: readonly EntityRecord[], rule = constraint('cashier', 'auditor')): string[] {
  const first = [...duties, rule];
  return validate([...first, ...records], options).problems.map(({ index, field, message }) => {
    return `${index - first.length} ${field.join('.')}: ${message.replace('separation of duty "payments": ', '')}`;
  });
}

describe('nobody may have too many of the roles', () => {
  const rule = 'nobody may have 2 of cashier, auditor';
  const cases: [string, EntityRecord[], string[]][] = [
    [
      'by two bindings, wherever and however they hold',
      [
        binding('user:bob', 'cashier', { scope: 'doc:1', condition: 'false' }),
        binding('user:bob', 'auditor', { scope: 'doc:2', expiresAt: 1 }),
      ],
      [`1 role: user:bob would have cashier and auditor; ${rule}`],
    ],
    [
      'through a group and an inclusion',
      [
        member('group:tills', 'user:bob'),
        binding('group:tills', 'cashier'),
        binding('user:bob', 'head-auditor', { scope: 'doc:2' }),
      ],
      [
        `2 role: user:bob would have cashier (through group:tills) and auditor (role head-auditor includes it); ${rule}`,
      ],
    ],
    [
      'through groups in groups, told at the last membership that joins them',
      [
        binding('group:a', 'cashier'),
        binding('group:c', 'head-auditor'),
        member('group:c', 'group:b'),
        member('group:a', 'user:bob'),
        member('group:b', 'user:bob'),
      ],
      [
        `4 member: user:bob would have cashier (through group:a) and auditor (through group:b, group:c; role head-auditor includes it); ${rule}`,
      ],
    ],
    [
      'by a group itself, told once and not of its members',
      [
        binding('group:ops', 'cashier'),
        binding('group:ops', 'auditor'),
        member('group:ops', 'user:a'),
        member('group:ops', 'user:b'),
      ],
      [`1 role: group:ops would have cashier and auditor; ${rule}`],
    ],
    [
      'through wildcards, where nobody is named',
      [binding('user:*', 'cashier'), binding('*', 'auditor')],
      [`0 role: user:* would have cashier and auditor (through *); ${rule}`],
    ],
    [
      'through a wildcard that is a member of a group',
      [member('group:all', '*'), binding('group:all', 'auditor'), binding('anonymous', 'cashier')],
      [`2 role: anonymous would have cashier and auditor (through *, group:all); ${rule}`],
    ],
    [
      'with a name that could be taken for more',
      [binding('user:a, user:b', 'cashier'), binding('user:a, user:b', 'auditor')],
      [`1 role: "user:a, user:b" would have cashier and auditor; ${rule}`],
    ],
    [
      'but a deny binding gives nothing',
      [binding('user:a', 'cashier'), binding('user:a', 'auditor', { effect: 'deny' })],
      [],
    ],
    [
      'but a wildcard of another type stands for others',
      [binding('user:a', 'cashier'), binding('service:*', 'auditor')],
      [],
    ],
    ['but "anonymous:*" is not anonymous', [binding('anonymous', 'cashier'), binding('anonymous:*', 'auditor')], []],
    [
      'but "group:*" is not handed on to members',
      [member('group:ops', 'user:a'), binding('user:a', 'cashier'), binding('group:*', 'auditor')],
      [],
    ],
    ['but one of them twice is one', [binding('user:a', 'auditor'), binding('user:a', 'head-auditor')], []],
  ];
  test.each(cases)('%s', (_, records, expected) => {
    expect(problemsOf(records)).toEqual(expected);
  });

  test('as many as the cardinality says, of those that it names', () => {
    const three = { ...constraint('cashier', 'auditor', 'clerk'), cardinality: 3 };
    const two = [binding('user:a', 'cashier'), binding('user:a', 'auditor')];
    expect(problemsOf(two, three)).toEqual([]);
    expect(problemsOf([...two, binding('user:a', 'clerk')], three)).toEqual([
      '2 role: user:a would have cashier, auditor and clerk; nobody may have 3 of cashier, auditor, clerk',
    ]);
  });

  test('by a role that includes two of them, once somebody is bound to it', () => {
    const both = role('both', 'cashier', 'head-auditor');
    expect(problemsOf([both])).toEqual([]);
    expect(problemsOf([both, binding('user:a', 'both')])).toEqual([
      `1 role: user:a would have cashier (role both includes it) and auditor (role both includes it); ${rule}`,
    ]);
  });

  test('and a dynamic constraint leaves that to the question', () => {
    const both = [binding('user:a', 'cashier'), binding('user:a', 'auditor')];
    expect(problemsOf(both, { ...constraint('cashier', 'auditor'), dynamic: true })).toEqual([]);
  });

  test('one problem a constraint and subject', () => {
    const other: ConstraintRecord = { kind: 'constraint', name: 'other', roles: ['auditor', 'clerk'] };
    const records = ['cashier', 'auditor', 'clerk', 'head-auditor'].map((to) => binding('user:a', to));
    expect(problemsOf([...records, binding('user:b', 'clerk'), other])).toHaveLength(2);
  });
});

describe('size', () => {
  test('a group of 100,000 members, deep groups and a cycle take linear time', () => {
    const crowd = Array.from({ length: 100_000 }, (_, i) => member('group:crowd', `user:${i}`));
    const chain = Array.from({ length: 50_000 }, (_, i) => member(`group:${i + 1}`, `group:${i}`));
    const records = [
      ...crowd,
      ...chain,
      member('group:0', 'group:crowd'),
      binding('group:50000', 'cashier'),
      binding('user:7', 'auditor'),
    ];
    const [problem, ...others] = problemsOf(records);
    expect(problem).toBe(
      '150002 role: user:7 would have cashier (through group:crowd, group:0, group:1, group:2, ... (49996 more) ..., group:49999, group:50000) and auditor; nobody may have 2 of cashier, auditor',
    );
    expect(others).toEqual([]);
    expect(problemsOf([...records, member('group:0', 'group:50000')]).join()).toMatch(/is a member of itself/);
  });

  test('100,000 conflicts are counted', () => {
    const crowd = Array.from({ length: 100_000 }, (_, i) => binding(`user:${i}`, 'auditor'));
    const { problems, omitted } = validate(
      [...duties, constraint('cashier', 'auditor'), binding('user:*', 'cashier'), ...crowd],
      options,
    );
    expect([problems.length, omitted]).toEqual([1000, 99_000]);
  });
});

/** The plain version: the roles of one subject, by looking at every record until nothing is added. */
function rolesOf(subject: string, records: readonly EntityRecord[]): ReadonlySet<string> {
  const principals = new Set([subject, '*']);
  if (subject.includes(':')) principals.add(subject.replace(/:.*$/s, ':*'));
  const held = new Set<string>();
  for (let size = -1; size !== principals.size + held.size; ) {
    size = principals.size + held.size;
    for (const record of records) {
      if (record.kind === 'member' && principals.has(record.member)) principals.add(record.group);
      if (record.kind === 'binding' && record.effect !== 'deny' && principals.has(record.subject))
        held.add(record.role);
      if (record.kind === 'role' && held.has(record.name)) for (const one of record.includes ?? []) held.add(one);
    }
  }
  return held;
}

/** Everybody that these graphs name, and somebody of each type whom they do not. */
const everybody = [...users, ...groups, '*', 'user:*', 'service:*', 'group:*', 'anonymous:*', 'anonymous', 'user:new'];

const ruled = fc.tuple(
  graph,
  fc.array(fc.record({ pair: fc.subarray([...roles], { minLength: 2 }), all: fc.boolean() }), {
    minLength: 1,
    maxLength: 2,
  }),
);

/** Without what closes a cycle: that is a problem of its own, and what is told besides is not exact. */
function withoutCycles(records: readonly EntityRecord[]): readonly EntityRecord[] {
  for (let rest = records; ; ) {
    const cycles = validate(rest, options).problems.filter(({ message }) =>
      / of itself: | includes itself: /.test(message),
    );
    if (cycles.length === 0) return rest;
    const wrong = new Set(cycles.map(({ index }) => index));
    rest = rest.filter((_, index) => !wrong.has(index));
  }
}

test('agrees with a plain version of itself on who has too many, and every way is one', () => {
  const seen = { content: 0, violated: 0 };
  fc.assert(
    fc.property(ruled, ([drawn, rules]) => {
      const records = withoutCycles(drawn);
      const constraints = rules.map(({ pair, all }, i): ConstraintRecord => {
        return { kind: 'constraint', name: `c${i}`, roles: pair, ...(all ? { cardinality: pair.length } : {}) };
      });
      expect(constraints.every(isStatic)).toBe(true);
      const groupsOf = (principal: string) =>
        records.flatMap((record) => (record.kind === 'member' && record.member === principal ? [record.group] : []));
      const boundOf = (principal: string) =>
        records.flatMap((one) =>
          one.kind === 'binding' && one.effect !== 'deny' && one.subject === principal ? [one.role] : [],
        );
      const includesOf = (name: string) =>
        records.flatMap((one) => (one.kind === 'role' && one.name === name ? (one.includes ?? []) : []));
      const separation = createSeparation(constraints, { groupsOf, rolesOf: boundOf, includesOf });
      for (const rule of constraints) {
        const most = rule.cardinality ?? 2;
        const guilty = everybody.filter((one) => {
          const held = rolesOf(one, records);
          return rule.roles.filter((name) => held.has(name)).length >= most;
        });
        const told = everybody.filter((one) => separation.violatedBy(one).includes(rule));
        seen[guilty.length > 0 ? 'violated' : 'content']++;
        expect(guilty).toEqual(expect.arrayContaining(told));
        // Whoever is guilty and not told of is so through somebody who is.
        for (const one of guilty) expect(told.some((other) => isBelow(one, other, groupsOf))).toBe(true);
        for (const one of told) {
          const ways = separation.waysOf(one, rule);
          expect(new Set(ways.map((way) => way.role)).size).toBe(most);
          for (const { role: name, bound, principals } of ways) {
            expect(rule.roles).toContain(name);
            expect(principals[0]).toBe(one);
            expect(boundOf(principals.at(-1) as string)).toContain(bound);
            expect(
              rolesOf('user:x', [...records.filter(({ kind }) => kind === 'role'), binding('user:x', bound)]),
            ).toContain(name);
            for (let i = 1; i < principals.length; i++) {
              const [from, to] = [principals[i - 1] as string, principals[i] as string];
              expect(groupsOf(from).includes(to) || (i === 1 && wildcardsOf(one).includes(to))).toBe(true);
            }
          }
        }
      }
    }),
    { numRuns: runs },
  );
  expect(seen.content).toBeGreaterThan(runs / 20);
  expect(seen.violated).toBeGreaterThan(runs / 20);
});

function wildcardsOf(subject: string): readonly string[] {
  return subject.includes(':') ? [subject.replace(/:.*$/s, ':*'), '*'] : ['*'];
}

function isBelow(subject: string, other: string, groupsOf: (principal: string) => readonly string[]): boolean {
  const above = new Set([subject, ...wildcardsOf(subject)]);
  for (const one of above) for (const group of groupsOf(one)) above.add(group);
  return above.has(other);
}
