/**
 * The shape of a policy file, once: it checks what is read, and policy.schema.json is made from it for editors.
 * What a schema cannot say (names that exist, cycles, patterns that compile) is validation's. No transforms here:
 * to-records.ts converts.
 */
import * as z from 'zod';
import { parseInstant } from './instant.ts';

const idPattern = '^[A-Za-z][A-Za-z0-9_./-]{0,127}:.+$';

const description = z.string().meta({ description: 'For people; never used to decide.' });

export const roleName = z.string().meta({ description: 'The name of a role.' });

const action = z.string().meta({ description: 'An action; * stands for any run of characters.' });

export const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, {
    error: 'is not a time; write RFC 3339 with an offset: 2027-01-01T00:00:00Z',
  })
  .meta({ description: 'An instant, RFC 3339 with an offset: 2027-01-01T00:00:00Z.', format: 'date-time' });

export const principal = z.string().meta({
  id: 'principal',
  description: 'Who: "user:alice", "group:ops", "user:*" (every user), "*" (everyone) or "anonymous".',
  pattern: `^(\\*|anonymous|${idPattern.slice(1, -1)})$`,
  examples: ['user:alice', 'group:ops', 'user:*'],
});

export const objectName = z.string().meta({
  id: 'object',
  description: 'One object: "doc:42".',
  pattern: idPattern,
});

export const scope = z
  .union([
    z.string().meta({
      description:
        'Where it holds: "*" the tenant, "doc:*" a type, "doc:42" an object with its descendants, "doc:a*" a pattern of ids.',
      pattern: `^(\\*|${idPattern.slice(1, -1)})$`,
      examples: ['*', 'doc:*', 'doc:42', 'endpoint:/metadata/*'],
    }),
    z.strictObject({ object: objectName.describe('One object whose id really holds a *.') }),
    z.strictObject({
      type: z.string().describe('The type of the objects.'),
      regex: z.string().describe('RE2 expression that the whole id must match.'),
    }),
  ])
  .meta({ id: 'scope', description: 'Where a binding holds.' });

const shortPermission = z.string().meta({
  description:
    'Actions on a type: "doc:read", "doc:*", "*". The first colon splits; * stands for any run of characters.',
  examples: ['doc:read', 'doc:*', '*'],
});

const permission = z
  .union([
    shortPermission,
    z.strictObject({
      objects: scope.describe('The objects on which the actions are granted.'),
      actions: z.array(action).describe('The actions granted there.'),
    }),
  ])
  .meta({ id: 'permission', description: 'What a role grants.' });

const type = z
  .strictObject({
    description: description.optional(),
    actions: z.array(z.string()).optional().describe('The actions of the type; left out, they are open.'),
    parents: z.array(z.string()).optional().describe('The types that a parent may have; left out, they are open.'),
  })
  .meta({ id: 'type', description: 'The vocabulary of an object type. Declared, a typo in a role is an error.' });

const attributeType = z.string().meta({
  description: 'string, bool, int, double, timestamp, map (an object), dyn (anything), or list(<type>).',
  pattern: '^(list\\()*(string|bool|int|double|timestamp|map|dyn)\\)*$',
  examples: ['string', 'int', 'list(string)'],
});

const attribute = z
  .union([attributeType, z.strictObject({ type: attributeType, description: description.optional() })])
  .meta({ id: 'attribute', description: 'The type of an attribute of queries, and what it is for.' });

const role = z
  .strictObject({
    description: description.optional(),
    includes: z.array(roleName).optional().describe('Roles whose permissions this one has too.'),
    permissions: z.array(permission).optional().describe('What the role grants.'),
    except: z
      .array(shortPermission)
      .optional()
      .describe("Taken from this role's own permissions only; not from included roles, and not a deny."),
    grant_action: z
      .string()
      .optional()
      .describe('The action that a granter must hold to bind the role; default "grant".'),
    system: z.boolean().optional().describe('Shipped with the software.'),
  })
  .meta({ id: 'role', description: 'A named set of permissions.' });

const member = z
  .union([
    principal,
    z.strictObject({
      subject: principal,
      expires_at: instant.optional().describe('The membership holds before this instant.'),
    }),
  ])
  .meta({ id: 'member', description: 'A subject, a group or a wildcard.' });

const group = z
  .union([
    z.array(member).describe('The members.'),
    z.strictObject({
      description: description.optional(),
      members: z.array(member).optional().describe('The members.'),
    }),
  ])
  .nullable()
  .meta({ id: 'group', description: 'Members of a group.' });

export const parent = z
  .union([
    objectName,
    z.strictObject({
      object: objectName,
      inherit: z.boolean().optional().describe('false: bindings on the parent do not reach this object.'),
    }),
  ])
  .meta({ id: 'parent', description: 'A parent of an object.' });

const object = z
  .union([
    objectName.describe('The one parent.'),
    z.strictObject({ parents: z.array(parent).optional().describe('The parents.') }),
  ])
  .nullable()
  .meta({ id: 'registeredObject', description: 'A registered object, and its parents.' });

const binding = z
  .strictObject({
    subject: principal,
    role: roleName,
    scope,
    effect: z.enum(['allow', 'deny']).optional().describe('Default allow; any deny that applies wins.'),
    name: z.string().optional().describe('Tells apart several bindings of the same subject, role, scope and effect.'),
    expires_at: instant.optional().describe('The binding holds before this instant.'),
    cascade: z.boolean().optional().describe('false: on the object itself only, not on its descendants.'),
    condition: z
      .string()
      .optional()
      .describe('CEL over subject, action, object, now and context.<attribute>; the binding applies where it is true.'),
    locked: z.boolean().optional().describe('Ordinary writers cannot revoke it.'),
    note: z.string().optional().describe('For people; never used to decide.'),
  })
  .meta({ id: 'binding', description: 'Grants a role to a subject, or denies it, somewhere.' });

const hookSubject = z.string().meta({
  id: 'hookSubject',
  description: 'Who: "creator", "created" (the new subject or group itself), or a principal.',
  pattern: `^(creator|created|\\*|anonymous|${idPattern.slice(1, -1)})$`,
  examples: ['creator', 'created', 'group:ops'],
});

const hookGrant = z
  .union([
    z.strictObject({
      role: roleName,
      subject: hookSubject,
      scope: scope.optional().describe('Where it holds; the created object, where this is left out.'),
      cascade: z.boolean().optional().describe('false: on the object itself only, not on its descendants.'),
      locked: z.boolean().optional().describe('Ordinary writers cannot revoke it.'),
      note: z.string().optional().describe('For people; never used to decide.'),
    }),
    z.strictObject({
      group: z
        .union([z.literal('created'), z.string().meta({ pattern: '^group:.+$' })])
        .describe('Which group gets the member: "created" (the new group itself) or "group:ops".'),
      member: hookSubject,
    }),
  ])
  .meta({ id: 'hookGrant', description: 'A binding or a membership that a creation makes.' });

const constraint = z
  .strictObject({
    description: description.optional(),
    roles: z.array(roleName).describe('The roles that exclude each other.'),
    cardinality: z.number().int().optional().describe('Nobody may have this many of them or more; default 2.'),
    dynamic: z
      .boolean()
      .optional()
      .describe('true: looks at the roles that a query activates, instead of those that a subject is authorised for.'),
  })
  .meta({ id: 'constraint', description: 'Separation of duty (INCITS 359).' });

export const policySchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors; not used.'),
    version: z.literal(1).describe('The version of this format.'),
    mode: z
      .enum(['enforce', 'shadow', 'off'])
      .optional()
      .describe(
        'enforce (default): decisions are final. shadow: answers allow, records what it would have said. off: allows.',
      ),
    types: z.record(z.string(), type.nullable()).nullish().describe('Declared object types, by name.'),
    attributes: z
      .record(z.string(), attribute)
      .nullish()
      .describe('Attributes that conditions name as context.<name>; where there are any, others are unknown.'),
    roles: z.record(z.string(), role).nullish().describe('Roles, by name.'),
    groups: z.record(z.string(), group).nullish().describe('Groups; the key is the id: "ops" is group:ops.'),
    objects: z.record(z.string(), object).nullish().describe('Registered objects, by "type:id".'),
    bindings: z.array(binding).nullish().describe('Who has which role where.'),
    hooks: z
      .record(z.string(), z.array(hookGrant))
      .nullish()
      .describe('What is granted when an object, a subject or a group of a type is created, by type.'),
    constraints: z.record(z.string(), constraint).nullish().describe('Separation of duty, by name.'),
  })
  .meta({
    title: 'Postern policy',
    description: 'A role graph: types, roles, groups, objects and bindings of one tenant.',
  });

/** A policy file whose shape is right. */
export type PolicyFile = z.infer<typeof policySchema>;
