/**
 * Reads sets in the uniform role-graph format (a graph and checks labelled by
 * others) and says the same in the product's records. The sets are not part of
 * this repository; whoever calls this asks hasDataSet() first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { EntityRecord } from '../../src/model/entity.ts';
import type { Query } from '../../src/model/query.ts';

interface UniformGraph {
  readonly meta: {
    readonly wildcard: 'none' | 'segment' | 'glob';
    readonly split: 'first' | 'last';
    readonly typed: boolean;
    readonly case_insensitive?: boolean;
  };
  /** By id; members are written "user:x" or "group:y". */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly roles: Readonly<Record<string, UniformRole>>;
  readonly bindings: readonly {
    readonly subject: string;
    readonly role: string;
    readonly resource: string;
    readonly scope: 'global' | 'object' | 'subtree';
  }[];
  readonly resources: readonly { readonly id: string; readonly parent?: string | null }[];
}

interface UniformRole {
  readonly permissions: readonly string[];
  readonly not?: readonly string[];
  readonly includes?: readonly string[];
}

interface UniformCheck {
  readonly subject: string;
  /** "type:verb" */
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly kind: string;
}

/** A question of a set and the answer it is labelled with. */
export interface LabelledCheck {
  readonly query: Query;
  readonly allowed: boolean;
  /** What the check is aimed at: "hit", "miss-user", "target:no_subtree", ... */
  readonly kind: string;
}

const folder = new URL('../../../shared/data/', import.meta.url);

/** Whether the set is at hand. */
export function hasDataSet(name: string): boolean {
  return existsSync(new URL(`${name}/`, folder));
}

/** @param path Such as "gcp-iam/graph.json.gz". */
export function loadGraph(path: string): readonly EntityRecord[] {
  return toRecords(readJson(path) as UniformGraph);
}

/** @param path Such as "gcp-iam/checks.json". */
export function loadChecks(path: string): readonly LabelledCheck[] {
  return (readJson(path) as readonly UniformCheck[]).map(toLabelledCheck);
}

function toRecords(graph: UniformGraph): readonly EntityRecord[] {
  const { wildcard, split, typed, case_insensitive: caseInsensitive } = graph.meta;
  if (!typed || split !== 'first' || caseInsensitive === true) {
    throw new Error('only typed sets that split at the first colon and mind the case are understood');
  }
  if (wildcard === 'none') refuseStars(graph.roles);
  return [
    ...Object.entries(graph.roles).map(([name, role]) => toRole(name, role)),
    ...Object.entries(graph.groups).flatMap(([id, members]) =>
      members.map((member): EntityRecord => ({ kind: 'member', group: `group:${id}`, member })),
    ),
    ...graph.resources.map(
      ({ id, parent }): EntityRecord =>
        parent ? { kind: 'object', object: id, parents: [{ object: parent }] } : { kind: 'object', object: id },
    ),
    ...graph.bindings.map(
      ({ subject, role, resource, scope }): EntityRecord => ({
        kind: 'binding',
        subject,
        role,
        scope: scope === 'global' ? '*' : resource.includes('*') ? { object: resource } : resource,
        ...(scope === 'object' ? { cascade: false } : {}),
      }),
    ),
  ];
}

function toRole(name: string, { permissions, not = [], includes = [] }: UniformRole): EntityRecord {
  return {
    kind: 'role',
    name,
    permissions,
    ...(not.length > 0 ? { except: not } : {}),
    ...(includes.length > 0 ? { includes } : {}),
  };
}

/** In sets without wildcards a star would be a letter, which a permission cannot say. */
function refuseStars(roles: Readonly<Record<string, UniformRole>>): void {
  for (const [name, { permissions, not = [] }] of Object.entries(roles)) {
    const starred = [...permissions, ...not].find((permission) => permission.includes('*'));
    if (starred !== undefined)
      throw new Error(`role ${name} has ${starred}, but the set says that it has no wildcards`);
  }
}

/** The type is the object's here; a check whose action is of another type would be another question. */
function toLabelledCheck({ subject, action, resource, allowed, kind }: UniformCheck): LabelledCheck {
  const colon = action.indexOf(':');
  if (!resource.startsWith(`${action.slice(0, colon)}:`)) {
    throw new Error(`the check of ${action} on ${resource} is about two types; only checks about one are understood`);
  }
  return {
    query: { subject, action: action.slice(colon + 1), object: resource, reach: 'inherited', assertedGroups: [] },
    allowed,
    kind,
  };
}

function readJson(path: string): unknown {
  const bytes = readFileSync(new URL(path, folder));
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}
