// casbin's models and lines: what comes in, what is refused, and random ones against casbin's rules written down again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CasbinOptions, importCasbin } from '../../src/import/casbin.ts';
import { runs, say } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';
import { changed, expectValidPolicy, reported } from './brute-force.ts';

const fixtures = ['model.conf', 'policy.csv'].map((name) => {
  return { name, text: readFileSync(join(import.meta.dirname, 'fixtures/casbin', name), 'utf8') };
});

interface Shape {
  readonly r?: string;
  readonly p?: string;
  readonly g?: string;
  readonly e?: string;
  readonly m: string;
}

const allow = 'some(where (p.eft == allow))';
const denyOverride = `${allow} && !some(where (p.eft == deny))`;

function modelText({ r = 'sub, obj, act', p = 'sub, obj, act', g = 'g = _, _', e = allow, m }: Shape): string {
  const roles = g === '' ? '' : `[role_definition]\n${g}\n`;
  return `[request_definition]\nr = ${r}\n[policy_definition]\np = ${p}\n${roles}[policy_effect]\ne = ${e}\n[matchers]\nm = ${m}\n`;
}

function run(shape: Shape, csv: string, options: CasbinOptions = {}) {
  return importCasbin(
    [
      { name: 'model.conf', text: modelText(shape) },
      { name: 'policy.csv', text: csv },
    ],
    options,
  );
}

const rbac = 'g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act';

describe('RBAC with resource roles and denials', () => {
  const imported = importCasbin(fixtures, { objectType: 'file' });

  test('becomes groups, parents, and a role for each set of actions', () => {
    expectValidPolicy(imported);
    expect(imported.leftovers).toEqual([]);
    expect(reported(imported)).toEqual([]);
    expect(imported.records).toEqual([
      { kind: 'role', name: 'enter', permissions: ['file:enter'] },
      { kind: 'role', name: 'read', permissions: ['file:read'] },
      { kind: 'role', name: 'read+write', permissions: ['file:read', 'file:write'] },
      { kind: 'member', group: 'group:admin', member: 'user:alice' },
      { kind: 'member', group: 'group:staff', member: 'group:admin' },
      { kind: 'object', object: 'file:q1', parents: [{ object: 'file:reports' }] },
      { kind: 'object', object: 'file:q2, final', parents: [{ object: 'file:reports' }] },
      { kind: 'object', object: 'file:reports' },
      { kind: 'binding', subject: 'group:admin', role: 'read+write', scope: 'file:reports' },
      { kind: 'binding', subject: 'group:staff', role: 'enter', scope: 'file:lobby' },
      { kind: 'binding', subject: 'user:bob', role: 'read', scope: 'file:q2, final' },
      { kind: 'binding', subject: 'user:mallory', role: 'read', scope: 'file:q1', effect: 'deny' },
      { kind: 'binding', subject: 'user:mallory', role: 'read', scope: 'file:reports' },
    ]);
  });
});

describe('a model', () => {
  test('with domains gives the lines of one domain', () => {
    const shape = {
      r: 'sub, dom, obj, act',
      p: 'sub, dom, obj, act',
      g: 'g = _, _, _',
      m: 'g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act',
    };
    const csv = 'p, admin, one, data, read\np, admin, two, data, write\ng, ann, admin, one\ng, bob, admin, two\n';
    const imported = run(shape, csv, { domain: 'two' });
    expect(imported.rules.subjects).toEqual(['group:admin', 'user:bob']);
    expect(reported(imported)).toEqual([]);
    expect(() => run(shape, csv)).toThrow('--domain must name one domain, which becomes a tenant; there are one, two');
    expect(() => run(shape, csv, { domain: 'three' })).toThrow('there are one, two');
  });

  test('with a superuser binds one who may do everything', () => {
    const imported = run({ m: `${rbac} || r.sub == "root"` }, 'p, ann, data, read\n');
    expect(imported.records).toContainEqual({ kind: 'binding', subject: 'user:root', role: 'superuser', scope: '*' });
    expect(reported(imported)).toEqual([]);
  });

  test('with patterns of objects gives the globs and expressions that reach the same', () => {
    const keyMatch = run(
      { m: 'g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act' },
      'p, ann, /a/*/b, read\ng, bob, ann\n',
    );
    expect(keyMatch.records).toContainEqual({
      kind: 'binding',
      subject: 'group:ann',
      role: 'read',
      scope: 'object:/a/*',
    });
    const keyMatch2 = run(
      { m: 'g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act' },
      'p, ann, /a/:id, read\np, ann, /a/*, read\np, ann, x|y, read\ng, bob, ann\n',
    );
    expect(keyMatch2.records).toContainEqual({
      kind: 'binding',
      subject: 'group:ann',
      role: 'read',
      scope: { type: 'object', regex: '/a/[^/]+' },
    });
    expect(keyMatch2.records).toContainEqual({
      kind: 'binding',
      subject: 'group:ann',
      role: 'read',
      scope: 'object:/a/*',
    });
    expect(keyMatch2.leftovers).toMatchObject([{ subject: 'group:ann', what: 'p, ann, x|y, read' }]);
  });

  test('that takes stars literally has no wildcard here, either', () => {
    const imported = run({ m: rbac }, 'p, ann, data, *\np, ann, *, read\np, *, data, read\ng, bob, ann\n');
    expect(imported.records.filter(({ kind }) => kind === 'binding')).toEqual([]);
    expect(imported.leftovers.map(({ what }) => what)).toEqual([
      'p, ann, *, read',
      'p, ann, data, *',
      'p, *, data, read',
    ]);
  });

  test('is followed ten levels up, and the report names who reaches further now', () => {
    const chain = Array.from({ length: 11 }, (_, i) => `g, r${i}, r${i + 1}\n`).join('');
    const imported = run({ m: rbac }, `p, r11, data, read\n${chain}`);
    expect(reported(imported)).toEqual(['+ user:r0 read object:data']);
  });
});

const refused: ReadonlyArray<{ what: string; shape: Shape; csv?: string; message: string }> = [
  {
    what: 'an attribute',
    shape: { m: `${rbac} && r.sub.age > 18` },
    message: 'model.conf: line 10, m, has the term "r.sub.age>18"',
  },
  {
    what: 'a missing column',
    shape: { m: 'g(r.sub, p.sub) && r.act == p.act' },
    message: 'does not compare every column',
  },
  {
    what: 'another effect',
    shape: { e: '!some(where (p.eft == deny))', m: rbac },
    message: 'model.conf: line 8, e, is an effect',
  },
  { what: 'a choice', shape: { m: `${rbac} || r.act == "ping"` }, message: 'is a choice that no graph can say' },
  {
    what: 'a column that is not known',
    shape: { p: 'sub, obj, act, age', m: rbac },
    message: 'model.conf: line 4, p, is "sub, obj, act, age"',
  },
  {
    what: 'a section that is not known',
    shape: { g: '[more]', m: rbac },
    message: 'model.conf: line 6 begins section "more"',
  },
  {
    what: 'a short line',
    shape: { m: rbac },
    csv: 'p, ann, data\n',
    message: 'policy.csv: line 1 has 2 values behind p; the model says 3',
  },
  {
    what: 'a line of another kind',
    shape: { m: rbac },
    csv: '\np2, ann, data, read\n',
    message: 'policy.csv: line 2 begins with "p2"',
  },
  {
    what: 'an open quote',
    shape: { m: rbac },
    csv: 'p, "ann, data, read\n',
    message: 'policy.csv: line 1 has a quote',
  },
  { what: 'a cycle', shape: { m: rbac }, csv: 'g, a, b\ng, b, c\ng, c, a\n', message: '"g, c, a" closes a cycle' },
];

test.for(refused)('$what is refused with its place', ({ shape, csv = 'p, ann, data, read\n', message }) => {
  expect(() => run(shape, csv)).toThrow(message);
});

describe('on random models and lines', { timeout: 20_000 + runs * 100 }, () => {
  const subs = ['ann', 'bob', 'ops', 'all', '*'];
  const objs = ['/a', '/a/b', '/a/*', '/a/:id', '/:x/b', '*', '/a.c', '/a*', 'p|q'];
  const acts = ['read', 'write', '*'];
  const matches = ['r.obj == p.obj', 'g2(r.obj, p.obj)', 'keyMatch(r.obj, p.obj)', 'keyMatch2(r.obj, p.obj)'] as const;
  // From earlier names to later ones, so that there is no cycle.
  const links = (names: readonly string[]) =>
    fc
      .array(fc.tuple(fc.nat(names.length - 1), fc.nat(names.length - 1)), { maxLength: 4 })
      .map((pairs) => pairs.filter(([a, b]) => a < b).map(([a, b]) => [names[a], names[b]] as [string, string]));
  const system = fc.record({
    match: fc.constantFrom(...matches),
    anyObject: fc.boolean(),
    anyAction: fc.boolean(),
    deny: fc.boolean(),
    lines: fc.array(
      fc.record({
        sub: fc.constantFrom(...subs),
        obj: fc.constantFrom(...objs),
        act: fc.constantFrom(...acts),
        eft: fc.constantFrom('allow', 'allow', 'deny'),
      }),
      { maxLength: 6 },
    ),
    roles: links(subs),
    resources: links(objs),
  });
  type System = typeof system extends fc.Arbitrary<infer T> ? T : never;

  test('the report names every decision that differs, and no other one', () => {
    const property = fc.property(system, (generated) => {
      const imported = importGenerated(generated);
      expectValidPolicy(imported);
      const allowed = (subject: string, action: string, object: string) => {
        return enforce(generated, subject.slice(subject.indexOf(':') + 1), object.slice('object:'.length), action);
      };
      expect(reported(imported), say(generated)).toEqual(changed(imported, imported.rules.subjects, allowed));
      if (imported.leftovers.length === 0) expect(reported(imported), say(generated)).toEqual([]);
      for (const change of reported(imported)) expect(change.startsWith('-') || generated.deny, change).toBe(true);
    });
    fc.assert(property, { seed, numRuns: runs });
  });

  function importGenerated({ match, anyObject, anyAction, deny, lines, roles, resources }: System) {
    const usesResources = match.startsWith('g2');
    const shape = {
      p: 'sub, obj, act, eft',
      g: usesResources ? 'g = _, _\ng2 = _, _' : 'g = _, _',
      e: deny ? denyOverride : allow,
      m: `g(r.sub, p.sub) && ${anyObject ? `(${match} || p.obj == "*")` : match} && ${anyAction ? "(r.act == p.act || p.act == '*')" : 'r.act == p.act'}`,
    };
    const csv = [
      ...lines.map(({ sub, obj, act, eft }) => `p, ${sub}, ${obj}, ${act}, ${eft}`),
      ...roles.map((pair) => `g, ${pair.join(', ')}`),
      ...(usesResources ? resources.map((pair) => `g2, ${pair.join(', ')}`) : []),
    ];
    return run(shape, csv.join('\n'));
  }

  /** casbin's enforce: every line is matched, then the effects are combined. */
  function enforce(
    { match, anyObject, anyAction, deny, lines, roles, resources }: System,
    sub: string,
    obj: string,
    act: string,
  ) {
    const effects = lines
      .filter((line) => linked(roles, sub, line.sub))
      .filter((line) => (anyObject && line.obj === '*') || objectMatches(match, obj, line.obj, resources))
      .filter((line) => line.act === act || (anyAction && line.act === '*'))
      .map(({ eft }) => eft);
    return effects.includes('allow') && !(deny && effects.includes('deny'));
  }

  function linked(pairs: readonly (readonly [string, string])[], from: string, to: string): boolean {
    return from === to || pairs.some(([a, b]) => a === from && linked(pairs, b, to));
  }

  function objectMatches(
    match: System['match'],
    asked: string,
    written: string,
    resources: System['resources'],
  ): boolean {
    if (match.startsWith('g2')) return linked(resources, asked, written);
    if (match.startsWith('r.obj')) return asked === written;
    if (match.startsWith('keyMatch2')) {
      // Where JavaScript refuses "^*$", the expressions of casbin's own language take it for any text.
      if (written === '*') return true;
      return new RegExp(`^${written.replaceAll('/*', '/.*').replaceAll(/:[^/]+/g, '[^/]+')}$`).test(asked);
    }
    return written.includes('*') ? asked.startsWith(written.slice(0, written.indexOf('*'))) : asked === written;
  }
});
