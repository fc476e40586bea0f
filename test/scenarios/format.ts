/**
 * The format of scenario files (one for each system, beside this): what the system does, as steps put to the product.
 * Read by load.ts. A key that is not known is an error, so that no step is lost to a typing mistake.
 */
import * as z from 'zod';
import { entityKinds } from '../../src/model/entity.ts';

const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)]);
const code = z.string().regex(/^[A-Z_]+$/);
const attributes = z.record(z.string(), z.json());
const written = z.record(z.string(), z.unknown());

/** Who asks, and with what, of all questions for a decision. */
const context = {
  reach: z.enum(['exact', 'inherited']).optional(),
  groups: z.array(z.string()).optional(),
  active_roles: z.array(z.string()).optional(),
  attributes: attributes.optional(),
};

/** Several subjects, actions or objects: every combination is asserted, and counts as one. */
const check = z.strictObject({
  subject: oneOrMore,
  action: oneOrMore,
  object: oneOrMore.optional(),
  ...context,
  expect: z.union([z.enum(['allowed', 'denied']), code]),
  reason: z.string().optional(),
});

const question = z.strictObject({ subject: z.string(), action: z.string(), object: z.string().optional(), ...context });

/** What is expected of a list: all of it in any order, how many, at least these, none of these, or an error's code. */
const expected = {
  expect: z.union([code, z.array(z.union([z.string(), z.array(z.string())]))]).optional(),
  count: z.int().optional(),
  at_least: z.array(z.string()).optional(),
  without: z.array(z.string()).optional(),
};

/** For whom a call to administration is made: a subject, or "operator". */
const caller = { as: z.string(), on_behalf_of: z.string().optional() };

const parents = z.array(z.union([z.string(), z.strictObject({ object: z.string(), inherit: z.literal(false) })]));

const change = z.union([
  z.strictObject({ grant: written }),
  z.strictObject({ revoke: written }),
  z.strictObject({
    create: z.union([
      z.string(),
      z.strictObject({ object: z.string(), parents: parents.optional(), description: z.string().optional() }),
    ]),
  }),
  z.strictObject({ remove: z.string() }),
  z.strictObject({ move: z.strictObject({ object: z.string(), parents }) }),
  z.strictObject({
    join: z.strictObject({ group: z.string(), member: z.string(), expires_at: z.string().optional() }),
  }),
  z.strictObject({ leave: z.strictObject({ group: z.string(), member: z.string() }) }),
  /** Sections as in a policy file; every record in them is put. */
  z.strictObject({ apply: written }),
  /** A record, or the kind of a record with what identifies it, as model/entity.ts has them. */
  z.strictObject({ put: written }),
  z.strictObject({ delete: written }),
]);

const step = {
  check,
  checks: z.array(check).min(1),
  batch: z.strictObject({
    mode: z.enum(['all_of', 'any_of']),
    checks: z.array(question),
    expect: z.enum(['allowed', 'denied']),
  }),
  explain: z.strictObject({ ...question.shape, contains: z.array(z.string()).min(1) }),
  objects: z.strictObject({
    subject: z.string(),
    action: z.string(),
    type: z.string(),
    ...context,
    ...expected,
    scopes: z.array(z.string()).optional(),
  }),
  subjects: z.strictObject({
    action: z.string(),
    object: z.string().optional(),
    type: z.string().optional(),
    reach: context.reach,
    attributes: context.attributes,
    ...expected,
    wildcards: z.array(z.string()).optional(),
  }),
  actions: z.strictObject({ subject: z.string(), object: z.string().optional(), ...context, ...expected }),
  commit: z.strictObject({
    ...caller,
    changes: z.array(change),
    dry_run: z.boolean().optional(),
    allow_no_administrator: z.boolean().optional(),
    why: z.string().optional(),
    /** Left out, the commit is preparation: it must succeed and is not counted. */
    expect: z.union([z.literal('ok'), code]).optional(),
    /** Whether any change is told to widen access. */
    widens: z.boolean().optional(),
    /** Texts that the refusal says. */
    message: z.array(z.string()).optional(),
  }),
  /** A tenant with records that are written as in a policy file. */
  create_tenant: z.strictObject({
    as: z.string(),
    tenant: z.string(),
    apply: written,
    expect: z.union([z.literal('ok'), code]),
  }),
  /** Roles by name. */
  roles: z.strictObject({
    ...caller,
    name: z.string().optional(),
    contains: z.array(z.string()).optional(),
    object_type: z.string().optional(),
    system: z.boolean().optional(),
    ...expected,
  }),
  groups: z.strictObject({ ...caller, name: z.string().optional(), ...expected }),
  /** [group, member] each. */
  members: z.strictObject({
    ...caller,
    group: z.string().optional(),
    member: z.string().optional(),
    transitive: z.boolean().optional(),
    ...expected,
  }),
  /** [subject, role, scope] each, and "deny" behind them where it is one. */
  bindings: z.strictObject({
    ...caller,
    subject: z.string().optional(),
    through_groups: z.boolean().optional(),
    role: z.string().optional(),
    object: z.string().optional(),
    inherited: z.boolean().optional(),
    scope: z.string().optional(),
    ...expected,
  }),
  /** Registered objects: [object, parent, ...] each, or just the object where there is no parent. */
  registered: z.strictObject({
    ...caller,
    type: z.string().optional(),
    parent: z.string().optional(),
    object: z.string().optional(),
    ...expected,
  }),
  /** Newest first: "user:alice", "user:alice via service:portal". */
  change_sets: z.strictObject({
    ...caller,
    by: z.string().optional(),
    subject: z.string().optional(),
    role: z.string().optional(),
    object: z.string().optional(),
    ...expected,
  }),
  /** Goes on to this time; preparation. */
  time: z.iso.datetime({ offset: true }),
  /** Why it is no question for Postern. */
  outside: z.string().min(10),
};

const kinds = Object.keys(step) as readonly (keyof typeof step)[];

const stepSchema = z
  .strictObject({
    ...(Object.fromEntries(kinds.map((kind) => [kind, step[kind].optional()])) as {
      [Kind in keyof typeof step]: z.ZodOptional<(typeof step)[Kind]>;
    }),
    /** What Postern answers otherwise than the system, and why; the step asserts Postern's answer. */
    differs: z.string().min(10).optional(),
    /** How many alike are outside. */
    times: z.int().min(2).optional(),
    note: z.string().optional(),
  })
  .refine((value) => kinds.filter((kind) => value[kind] !== undefined).length === 1, {
    error: `takes exactly one of ${kinds.join(', ')}`,
  });

const count = z.int().min(0);

export const scenarioFileSchema = z.strictObject({
  system: z.string(),
  expect: z.strictObject({ encoded: count, outside: count, differs: count }),
  scenarios: z.array(
    z
      .strictObject({
        id: z.string(),
        claim: z.string(),
        /** The time at which it begins. */
        now: z.iso.datetime({ offset: true }).optional(),
        /** The text of a policy file, or the path of one from here. */
        policy: z.string().optional(),
        policy_file: z.string().optional(),
        /** Only these kinds of records are taken from the policy: its frame without its people. */
        kinds: z.array(z.enum(entityKinds)).optional(),
        steps: z.array(stepSchema).min(1),
      })
      .refine(({ policy, policy_file }) => (policy === undefined) !== (policy_file === undefined), {
        error: 'takes either policy or policy_file',
      }),
  ),
});

export type ScenarioFile = z.infer<typeof scenarioFileSchema>;
export type Scenario = ScenarioFile['scenarios'][number];
export type Step = Scenario['steps'][number];
export type StepOf<Kind extends keyof typeof step> = z.infer<(typeof step)[Kind]>;
export type WrittenChange = z.infer<typeof change>;
export type WrittenQuestion = z.infer<typeof question>;
export type WrittenContext = Pick<WrittenQuestion, keyof typeof context>;

/** What a list is held to. */
export interface ExpectedList {
  readonly expect?: string | readonly (string | readonly string[])[] | undefined;
  readonly count?: number | undefined;
  readonly at_least?: readonly string[] | undefined;
  readonly without?: readonly string[] | undefined;
}
