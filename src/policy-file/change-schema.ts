/**
 * The shape of a file of changes, in the words of the commands that make one change each. Called by change-file.ts,
 * which says what it means.
 */
import * as z from 'zod';
import { objectName, parent, policySchema, principal, roleName, scope } from './schema.ts';

const until = z.string().describe('Ends then: 8h, 30d or 2027-01-01T00:00:00Z.');
const name = z.string().describe('Tells apart several of the same subject, role and place.');
const deny = z.boolean().describe('A denial.');
const parents = z.array(parent).describe('What it is in.');
const group = z.string().describe('"group:ops".');

/** One key each: what is done. */
export const changeKeys = {
  grant: z.strictObject({
    subject: principal,
    role: roleName,
    on: scope,
    until: until.optional(),
    if: z.string().optional().describe('CEL; holds where it is true.'),
    name: name.optional(),
    note: z.string().optional().describe('For people.'),
    deny: deny.optional(),
    this_only: z.boolean().optional().describe('On that object only, not on what is below it.'),
    locked: z.boolean().optional().describe('Revoked by operators only.'),
  }),
  revoke: z.strictObject({
    subject: principal,
    role: roleName,
    on: scope,
    deny: deny.optional(),
    name: name.optional(),
  }),
  create: z.strictObject({
    object: objectName,
    parents: parents.optional(),
    description: z.string().optional().describe('For people; groups only.'),
  }),
  move: z.strictObject({ object: objectName, parents }),
  delete: z.union([
    objectName,
    z.strictObject({
      role: roleName.optional(),
      hook: z.string().optional(),
      constraint: z.string().optional(),
      type: z.string().optional(),
      attribute: z.string().optional(),
    }),
  ]),
  add: z.strictObject({ group, member: principal, until: until.optional() }),
  remove: z.strictObject({ group, member: principal }),
  put: policySchema.omit({ $schema: true, version: true }),
} as const;

export const changeFileSchema = z.array(
  z.strictObject({
    grant: changeKeys.grant.optional(),
    revoke: changeKeys.revoke.optional(),
    create: changeKeys.create.optional(),
    move: changeKeys.move.optional(),
    delete: changeKeys.delete.optional(),
    add: changeKeys.add.optional(),
    remove: changeKeys.remove.optional(),
    put: changeKeys.put.optional(),
  }),
);

export type ChangeItem = z.infer<typeof changeFileSchema>[number];
