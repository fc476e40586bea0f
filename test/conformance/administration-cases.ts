/**
 * Reads the directed cases of administration (administration-cases/*.yaml): graphs written as in a policy file, and
 * commits written short. What the shorthand means is all here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { RequestedChange } from '../../src/admin/api.ts';
import type { ConstraintRecord, EntityRecord, HookGrant, HookRecord, ParentEdge } from '../../src/model/entity.ts';
import { bindingKey, entityKey, type Mode } from '../../src/model/entity.ts';
import { recordsOfPolicy, type WrittenPolicy } from '../data/policy-records.ts';

export interface CaseDocument {
  readonly title: string;
  /** "without administrator" leaves out the binding that makes user:ann one. */
  readonly base?: 'without administrator';
  readonly policy: Omit<WrittenPolicy, 'version'> & {
    readonly hooks?: Readonly<Record<string, readonly HookGrant[]>>;
    readonly constraints?: Readonly<Record<string, Pick<ConstraintRecord, 'roles' | 'cardinality'>>>;
  };
  readonly commits: readonly CaseCommit[];
}

export interface CaseCommit {
  readonly claim?: string;
  readonly by?: string;
  readonly operator?: true;
  readonly on_behalf_of?: string;
  readonly allow_no_administrator?: true;
  readonly changes: readonly WrittenChange[];
  /** "OK", the code of an error, or "refused" where the code does not matter. */
  readonly is: string;
  /** "user:bob read doc:1", by the plain evaluator, afterwards. */
  readonly allowed?: readonly string[];
  readonly denied?: readonly string[];
  /** What is committed after it. */
  readonly then?: readonly CaseCommit[];
}

type Written<K extends 'bindings' | 'roles'> = NonNullable<WrittenPolicy[K]>;
type Named<Key extends string, More = unknown> = Readonly<Record<Key, string>> & More;
type WrittenEdge = readonly (string | ParentEdge)[];

export type WrittenChange =
  | { readonly bind: Written<'bindings'>[number] }
  | { readonly unbind: Written<'bindings'>[number] }
  | { readonly join: readonly [member: string, group: string]; readonly expires_at?: string }
  | { readonly leave: readonly [member: string, group: string] }
  | Named<'role', Written<'roles'>[string]>
  | Named<'drop_role'>
  | Named<'create', { readonly parents?: WrittenEdge; readonly description?: string }>
  | Named<'remove'>
  | Named<'place', { readonly parents?: WrittenEdge }>
  | Named<'delete_object'>
  | Named<'group', { readonly description: string }>
  | Named<'hook', { readonly grants: readonly HookGrant[] }>
  | Named<'drop_hook'>
  | Named<'constraint', { readonly roles: readonly string[] }>
  | Named<'drop_constraint'>
  | Named<'type', { readonly description: string }>
  | { readonly mode: Mode };

const baseRoles: WrittenPolicy['roles'] = {
  admin: { permissions: ['*'] },
  reader: { permissions: ['doc:read'], grant_action: 'share' },
  writer: { permissions: ['doc:write'], includes: ['reader'] },
  sharer: { permissions: ['doc:share'], includes: ['reader'], grant_action: 'own' },
  owner: {
    permissions: ['doc:*', 'folder:*', 'group:delete'],
    // A star holds escalate, too.
    except: ['*:escalate'],
    grant_action: 'own',
  },
  granter: { permissions: ['*:grant', '*:deny', '*:share'] },
  keeper: { permissions: ['group:manage_members'] },
  builder: { permissions: ['*:create', '*:move'] },
  modeller: { permissions: ['*:manage_roles', '*:manage_policy'] },
  actor: { permissions: ['*:impersonate'] },
  climber: { permissions: ['*:escalate'] },
  standard: { permissions: ['doc:read', 'doc:write'], system: true },
};

/** The graph that a document's commits are made to. */
export function recordsOfCase({ base, policy }: CaseDocument): readonly EntityRecord[] {
  const ann = { subject: 'user:ann', role: 'admin', scope: '*' };
  const { hooks = {}, constraints = {} } = policy;
  return [
    ...recordsOfPolicy({
      version: 1,
      ...policy,
      roles: { ...baseRoles, ...policy.roles },
      bindings: [...(base === undefined ? [ann] : []), ...(policy.bindings ?? [])],
    }),
    ...Object.entries(hooks).map(([type, grants]): HookRecord => ({ kind: 'hook', type, grants })),
    ...Object.entries(constraints).map(([name, rest]): ConstraintRecord => ({ kind: 'constraint', name, ...rest })),
  ];
}

export function requestedOf(change: WrittenChange): RequestedChange {
  const put = (record: EntityRecord): RequestedChange => ({ op: 'put', record });
  if ('bind' in change) return put(bindingOf(change.bind));
  if ('unbind' in change) {
    const { subject, role, scope, effect = 'allow', name } = change.unbind;
    return { op: 'delete', kind: 'binding', key: bindingKey(subject, role, scope, effect, name) };
  }
  if ('join' in change) {
    const [member, group] = change.join;
    const expiresAt = change.expires_at === undefined ? {} : { expiresAt: Date.parse(change.expires_at) };
    return put({ kind: 'member', group, member, ...expiresAt });
  }
  if ('leave' in change) {
    const [member, group] = change.leave;
    return { op: 'delete', kind: 'member', key: entityKey({ kind: 'member', group, member }) };
  }
  if ('role' in change) return put(roleOf(change.role, change));
  if ('create' in change) {
    const { create: object, parents, description } = change;
    const more = description === undefined ? {} : { description };
    return { op: 'create', object, ...(parents === undefined ? {} : { parents: edgesOf(parents) }), ...more };
  }
  if ('remove' in change) return { op: 'remove', object: change.remove };
  if ('place' in change) {
    const { place: object, parents = [] } = change;
    return put({ kind: 'object', object, ...(parents.length === 0 ? {} : { parents: edgesOf(parents) }) });
  }
  if ('group' in change) return put({ kind: 'group', group: change.group, description: change.description });
  if ('hook' in change) return put({ kind: 'hook', type: change.hook, grants: change.grants });
  if ('constraint' in change) return put({ kind: 'constraint', name: change.constraint, roles: change.roles });
  if ('type' in change) return put({ kind: 'type', name: change.type, description: change.description });
  if ('mode' in change) return put({ kind: 'settings', mode: change.mode });
  return deletionOf(change);
}

function deletionOf(
  change: Named<'drop_role'> | Named<'drop_hook'> | Named<'drop_constraint'> | Named<'delete_object'>,
) {
  if ('drop_role' in change) return { op: 'delete', kind: 'role', key: change.drop_role } as const;
  if ('drop_hook' in change) return { op: 'delete', kind: 'hook', key: change.drop_hook } as const;
  if ('drop_constraint' in change) return { op: 'delete', kind: 'constraint', key: change.drop_constraint } as const;
  return { op: 'delete', kind: 'object', key: change.delete_object } as const;
}

function bindingOf(written: Written<'bindings'>[number]): EntityRecord {
  return recordsOfPolicy({ version: 1, bindings: [written] })[0] as EntityRecord;
}

function roleOf(name: string, { permissions, includes, except, grant_action, system }: Written<'roles'>[string]) {
  const written = Object.entries({ permissions, includes, except, grant_action, system });
  const role = Object.fromEntries(written.filter(([, value]) => value !== undefined));
  return recordsOfPolicy({ version: 1, roles: { [name]: role } })[0] as EntityRecord;
}

function edgesOf(written: WrittenEdge): readonly ParentEdge[] {
  return written.map((edge) => (typeof edge === 'string' ? { object: edge } : edge));
}

/** Every document of every file of a directory. */
export function loadCases(directory: URL): readonly CaseDocument[] {
  const files = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
  return files.sort().flatMap((name) =>
    parseAllDocuments(readFileSync(new URL(name, directory), 'utf8')).map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw new Error(`${name}: ${error.message}`);
      return document.toJS() as CaseDocument;
    }),
  );
}
