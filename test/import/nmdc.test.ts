import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Source } from '../../src/import/importer.ts';
import { importNmdc } from '../../src/import/nmdc.ts';
import { allowanceActions } from '../../src/import/nmdc-rules.ts';
import { seed } from '../setup/seed.ts';
import { allowed, bindingsOf, expectFaithful, expectPrintable, fixture, refusalOf, source } from './imported.ts';

const files = ['users.jsonl', 'sites.json', '_runtime.api.allow.json', '_runtime.api.deny.json'];
const dump = files.map((name) => fixture(`nmdc/${name}`));

describe('an import of the collections', () => {
  const imported = importNmdc(dump);
  const { records, leftovers } = imported;

  test('decides as the runtime does, and can be written as a policy', () => {
    expectFaithful(imported);
    expectPrintable(imported);
  });

  test('makes a binding of an allow document and a denying one of a deny document', () => {
    const bindings = bindingsOf(imported);
    expect(bindings).toContain('allow user:0000-0002-1825-0097 json_submitter "endpoint:*"');
    expect(bindings).toContain('deny user:0000-0002-1825-0097 json_submitter "endpoint:*"');
    expect(bindings).toContain('allow service:sys0hpc1 data_deleter "endpoint:*"');
    expect(allowed(records, 'user:0000-0002-1825-0097', 'submit', 'endpoint:/metadata/json')).toBe(false);
    expect(allowed(records, 'service:sys0hpc1', 'delete', 'endpoint:/workflows/workflow_executions/nmdc:1')).toBe(true);
  });

  test('gives a runtime administrator users to look after, and no way past the allowances', () => {
    expect(allowed(records, 'user:admin', 'create', 'endpoint:/users')).toBe(true);
    expect(allowed(records, 'user:admin', 'submit', 'endpoint:/metadata/json')).toBe(false);
    expect(allowed(records, 'user:0000-0002-1825-0097', 'create', 'endpoint:/users')).toBe(false);
  });

  test('keeps administrators and clients of a site to their site', () => {
    const on = (subject: string, action: string) =>
      ['hpc', 'maya-lab', 'h*'].filter((site) => allowed(records, subject, action, `site:${site}`));
    expect(on('user:0000-0002-1825-0097', 'generate_credentials')).toEqual(['hpc', 'maya-lab']);
    expect(on('service:sys0hpc1', 'put_object')).toEqual(['hpc']);
    expect(on('service:sys0lab1', 'put_object')).toEqual(['maya-lab']);
    expect(on('user:admin', 'generate_credentials')).toEqual([]);
  });

  test('grants a disabled account nothing, and says what was left', () => {
    expect(records.some((record) => JSON.stringify(record).includes('"user:left"'))).toBe(false);
    expect(leftovers.map(({ subject, what }) => `${subject}: ${what}`)).toEqual([
      'user:0000-0001-5109-3700: administrator of the site "gone-site"',
      'user:admin: allow /metadata/old:thing',
      'user:left: the account; allowances: 1, sites to administer: 1',
      'user:nobody: allow /metadata/json:submit',
    ]);
  });

  test('is the same whatever the order of files and documents', () => {
    const reversed = dump.toReversed().map(({ name, text }): Source => {
      const documents = text.startsWith('[')
        ? JSON.parse(text)
        : text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
      return { name: `other/nmdc.${name.slice('nmdc/'.length)}`, text: JSON.stringify(documents.toReversed()) };
    });
    const again = importNmdc(reversed);
    expect({ records: again.records, leftovers: again.leftovers }).toEqual({ records, leftovers });
  });
});

test('an empty allow list is reported with what the runtime would do about it', () => {
  const { leftovers } = importNmdc([system({ users: [{ username: 'admin' }] })]);
  expect(leftovers).toMatchObject([{ subject: 'user:admin', what: 'all seven allowances' }]);
});

test('a site whose id holds a star is that one site', () => {
  const sites = [{ id: 's*', clients: [] }, { id: 'sun' }];
  const { records } = importNmdc([system({ users: [{ username: 'u', site_admin: ['s*'] }], sites })]);
  expect(allowed(records, 'user:u', 'generate_credentials', 'site:s*')).toBe(true);
  expect(allowed(records, 'user:u', 'generate_credentials', 'site:sun')).toBe(false);
});

describe('random systems', () => {
  const names = ['a', 'b', 'admin', 'client:1', 's*', '__proto__', 'x y'];
  const siteIds = ['a', 's*', 'site', 'nmdc-runtime-useradmin', '__proto__'];
  const allowance = fc.record({
    username: fc.constantFrom(...names),
    action: fc.constantFrom(...allowanceActions, '/no/such:action'),
  });
  const users = fc.uniqueArray(
    fc.record(
      {
        username: fc.constantFrom(...names),
        site_admin: fc.option(fc.array(fc.constantFrom(...siteIds), { maxLength: 3 })),
        disabled: fc.option(fc.boolean()),
      },
      { requiredKeys: ['username'] },
    ),
    { selector: (user) => user.username, maxLength: 5 },
  );
  const sites = fc.uniqueArray(fc.constantFrom(...siteIds), { maxLength: 4 }).chain((ids) =>
    fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }).map((clients) =>
      ids.map((id, i) => ({
        id,
        clients: clients.filter((_, j) => j % ids.length === i).map((it) => ({ id: it })),
      })),
    ),
  );
  const lists = fc.array(allowance, { maxLength: 14, size: 'max' });
  const random = fc.record({ users, sites, '_runtime.api.allow': lists, '_runtime.api.deny': lists });

  test('decide after as before, print, and import to the same text', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(random, (json) => {
        const imported = importNmdc([source('system.json', json)]);
        expectFaithful(imported);
        expectPrintable(imported);
        expect(importNmdc([source('system.json', json)]).records).toEqual(imported.records);
      }),
      { seed, numRuns: 60 },
    );
  });
});

const bad: ReadonlyArray<{ what: string; sources: readonly Source[]; says: string }> = [
  {
    what: 'a missing deny list',
    sources: dump.slice(0, 3),
    says: 'the collection _runtime.api.deny is missing; export it too, even an empty one: what it refuses must be known',
  },
  {
    what: 'a collection that is given twice',
    sources: [...dump, system({})],
    says: 'system.json: is the collection users once more; give each collection once',
  },
  {
    what: 'a line that is not JSON',
    sources: [{ name: 'users.json', text: '{"username":"a"}\n{"username":' }],
    says: 'users.json: line 2: is not JSON',
  },
  {
    what: 'a file that is no collection',
    sources: [{ name: 'jobs.json', text: '{}' }],
    says: 'jobs.json: is no collection that is known; name the file after its collection',
  },
  {
    what: 'a wildcard for a user name',
    sources: [system({ users: [{ username: 'a' }, { username: '*' }] })],
    says: 'system.json: users[1].username would become "user:*", which is a wildcard; name one subject; rename it',
  },
  {
    what: 'a site that is all sites',
    sources: [system({ sites: [{ id: '*' }] })],
    says: 'system.json: sites[0].id would become "site:*", which is a whole type',
  },
  {
    what: 'a user name with a newline',
    sources: [system({ users: [{ username: 'a\nb' }] })],
    says: 'system.json: users[0].username would become "user:a\\nb", which holds a control character at position 2',
  },
  {
    what: 'a user who is there twice',
    sources: [system({ users: [{ username: 'a' }, { username: 'a' }] })],
    says: 'system.json: users[1].username is the user "a" a second time; remove one',
  },
  {
    what: 'a client of two sites',
    sources: [
      system({
        sites: [
          { id: 'a', clients: [{ id: 'c' }] },
          { id: 'b', clients: [{ client_id: 'c' }] },
        ],
      }),
    ],
    says: 'system.json: sites[1].clients[0].client_id is the site client "c" a second time',
  },
  {
    what: 'a flag that is text',
    sources: [system({ users: [{ username: 'a', disabled: 'false' }] })],
    says: 'system.json: users[0].disabled is "false"; write true or false',
  },
  {
    what: 'an allowance without an action',
    sources: [system({ '_runtime.api.allow': [{ username: 'a' }] })],
    says: 'system.json: _runtime.api.allow[0].action is missing',
  },
];

test.for(bad)('$what is refused with its place', ({ sources, says }) => {
  expect(refusalOf(() => importNmdc(sources))).toContain(says);
});

function system(json: Readonly<Record<string, unknown>>): Source {
  return source('system.json', { users: [], sites: [], '_runtime.api.allow': [], '_runtime.api.deny': [], ...json });
}
