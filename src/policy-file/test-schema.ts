/** The shape of a policy test file, once: it checks what is read, and policy-test.schema.json is made from it. */
import * as z from 'zod';
import { instant } from './schema.ts';

const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)]);
const subject = z.string().describe('One subject: "user:alice" or "anonymous".');
const object = z.string().describe('One object: "doc:42". Left out, the question is about the tenant.');
const action = z.string().describe('One action: "read".');

const context = {
  reach: z.literal('exact').optional().describe('exact: only bindings on the object itself count.'),
  attributes: z.record(z.string(), z.json()).optional().describe('What conditions see as context.<name>.'),
  groups: z.array(z.string()).optional().describe('Groups that the caller asserts, as "group:<id>".'),
  active_roles: z.array(z.string()).min(1).optional().describe('The roles that are active. Left out, all of them.'),
};

const question = {
  subject: oneOrMore.describe('Subjects; each is asked about.'),
  action: oneOrMore.describe('Actions; each is asked.'),
  object: oneOrMore.optional().describe('Objects; each is asked about. Left out, the question is about the tenant.'),
  ...context,
};

const test = z
  .strictObject({
    name: z.string().describe('What the test claims.'),
    allowed: z.array(z.strictObject(question)).optional().describe('Questions that must be allowed.'),
    denied: z
      .array(
        z.strictObject({
          ...question,
          reason: z
            .enum(['EXPLICIT_DENY', 'CONDITION_NOT_MET', 'ROLE_LACKS_PERMISSION', 'NO_ROLE'])
            .optional()
            .describe('Why it is denied.'),
        }),
      )
      .optional()
      .describe('Questions that must be denied.'),
    objects: z
      .array(
        z.strictObject({
          subject,
          action,
          type: z.string().describe('The type of the objects to list.'),
          expect: z.array(z.string()).describe('All objects, in any order.'),
          scopes: z.array(z.string()).optional().describe('All whole scopes, in any order.'),
          ...context,
        }),
      )
      .optional()
      .describe('On which objects?'),
    subjects: z
      .array(
        z.strictObject({
          action,
          object: object.optional(),
          type: z.string().optional().describe('The type of the subjects to list; left out, every type.'),
          expect: z.array(z.string()).describe('All subjects, in any order.'),
          wildcards: z.array(z.string()).optional().describe('All wildcards, in any order.'),
          reach: context.reach,
          attributes: context.attributes,
        }),
      )
      .optional()
      .describe('Which subjects?'),
    actions: z
      .array(
        z.strictObject({
          subject,
          object: object.optional(),
          expect: z.array(z.string()).describe('All actions, in any order.'),
          ...context,
        }),
      )
      .optional()
      .describe('Which actions?'),
  })
  .meta({ id: 'test', description: 'Claims that hold together.' });

export const policyTestSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors; not used.'),
    version: z.literal(1).describe('The version of this format.'),
    policy: z.string().min(1).describe('The policy file, relative to this file.'),
    now: instant.optional().describe('The time at which everything is asked.'),
    tests: z.array(test).describe('The tests, run in order.'),
  })
  .meta({ title: 'Postern policy tests', description: 'What a policy must answer.' });

export type PolicyTestFile = z.infer<typeof policyTestSchema>;
export type PolicyTestQuestion = z.infer<z.ZodObject<typeof question>> & { readonly reason?: string | undefined };
