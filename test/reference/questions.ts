/** Random questions for fast-check, about the names of the random graphs, and some that no graph knows. */
import fc from 'fast-check';
import type { Attributes } from '../../src/model/condition.ts';
import type { Query, Reach } from '../../src/model/query.ts';
import { groups, literalActions, objects, objectTypes, roles, users, usually } from './arbitraries.ts';

const askedSubject = fc.oneof(
  { arbitrary: fc.constantFrom<string[]>(...users), weight: 8 },
  {
    arbitrary: fc.constantFrom<string[]>(...groups, 'anonymous', 'user:unknown', 'unknown:a', 'anonymous:a'),
    weight: 3,
  },
);
const askedObject = usually(
  fc.constantFrom<string[]>(...objects),
  fc.constantFrom<string[]>('doc:unknown', 'folder:unregistered', 'unknown:1'),
);
const askedAction = fc.oneof(
  { arbitrary: fc.constantFrom<string[]>(...literalActions), weight: 6 },
  { arbitrary: fc.constantFrom('re*', '*', 'Get:', 'doc:read', 'unknown', '__proto__'), weight: 1 },
);
const tenantAction = fc.constantFrom(
  ...[
    'doc:read',
    'folder:write',
    'doc:Get:x',
    'constructor:constructor',
    'read',
    'Get:x',
    '1:read',
    'doc:re*',
    'unknown:read',
  ],
);
const inherited = fc.constant<Reach>('inherited');
const assertedGroups = usually<string[]>(
  fc.constant([]),
  fc.array(fc.constantFrom<string[]>(...groups, 'group:unknown'), { minLength: 1, maxLength: 2 }),
);

/** A third of the questions activate some roles, often only one. */
const activeRoles = fc.oneof(
  { arbitrary: fc.constant<string[] | undefined>(undefined), weight: 7 },
  { arbitrary: fc.constant<string[] | undefined>([]), weight: 1 },
  {
    arbitrary: fc.array(fc.constantFrom<string[]>(...roles, ...roles, ...roles, 'undefined role', 'unknown role'), {
      minLength: 1,
      maxLength: 3,
    }),
    weight: 4,
  },
);

const attributes = usually<Attributes | undefined>(
  fc.constant(undefined),
  fc.record(
    {
      vip: fc.oneof(fc.boolean(), fc.constant('yes')),
      level: fc.oneof(fc.constantFrom(0, 1, 2, 1.5), fc.constant('2')),
      until: fc.constantFrom('2026-05-28T20:26:40.001Z', '2026-05-28T22:26:40+02:00', 'tomorrow'),
    },
    { requiredKeys: [] },
  ),
);

const askedOnObject: fc.Arbitrary<Query> = fc.record({
  subject: askedSubject,
  action: askedAction,
  object: askedObject,
  reach: usually(inherited, fc.constant<Reach>('exact')),
  assertedGroups,
  activeRoles,
  attributes,
});
const askedOnTenant: fc.Arbitrary<Query> = fc.record({
  subject: askedSubject,
  action: tenantAction,
  object: fc.constant(''),
  reach: inherited,
  assertedGroups,
  activeRoles,
  attributes,
});

/** One question, on an object or on the tenant. */
export const query: fc.Arbitrary<Query> = usually(askedOnObject, askedOnTenant);

/** A type to list objects of. */
export const listedType: fc.Arbitrary<string> = fc.constantFrom<string[]>(...objectTypes, 'unknown');

/** A type to list subjects of; empty is every type. */
export const listedSubjectType: fc.Arbitrary<string> = fc.constantFrom(
  '',
  'user',
  'group',
  'service',
  'anonymous',
  'unknown',
);
