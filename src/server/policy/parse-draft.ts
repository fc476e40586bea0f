/**
 * Drafts to records by the parser that stores use, so that both hold the same to be legal and canonical. That parser
 * stops at the first problem; here each part of a record that it refuses is tried by itself, to name them all.
 */
import type { EntityKind, EntityRecord } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import type { Json } from '../../model/parse-fields.ts';
import { parseRecord } from '../../model/parse-record.ts';
import type { Problems } from './problems.ts';

/** The least that is legal of each kind: what the part that is tried is put into. */
export const leastRecords: Readonly<Record<EntityKind, Json>> = {
  settings: { kind: 'settings', mode: 'enforce' },
  type: { kind: 'type', name: 't' },
  attribute: { kind: 'attribute', name: 'a', type: 'dyn' },
  role: { kind: 'role', name: 'r', permissions: [] },
  group: { kind: 'group', group: 'group:g' },
  member: { kind: 'member', group: 'group:g', member: 'user:u' },
  object: { kind: 'object', object: 't:o' },
  binding: { kind: 'binding', subject: 'user:u', role: 'r', scope: '*' },
  hook: { kind: 'hook', type: 't', grants: [] },
  constraint: { kind: 'constraint', name: 'c', roles: [] },
};

/**
 * The record in canonical form, or undefined where it has problems.
 * @param path Of the message that the draft was made of; its problems begin with it.
 */
export function parseDraft(draft: Json, path: string, problems: Problems): EntityRecord | undefined {
  const whole = attempt(draft);
  if (!(whole instanceof PosternError)) return whole;
  const kind = draft.kind as EntityKind;
  const told = new Set<string>();
  const tell = (error: PosternError, indexes: readonly number[]) => {
    const parsed = error.metadata.field ?? '';
    const rest = [...indexes];
    // Lists are tried one element at a time, each as the first.
    const field = rest.length === 0 ? parsed : parsed.replace(/\[0\]/g, (zero) => `[${rest.shift() ?? zero}]`);
    if (told.has(field)) return;
    told.add(field);
    problems.add(`${path}.${toWireField(field, draft)}`, messageOfProblem(error, parsed));
  };
  for (const [field, value] of Object.entries(draft)) {
    if (field === 'kind') continue;
    for (const { json, indexes } of partsOf(value)) {
      if (!problems.mayLook()) break;
      const result = attempt({ ...leastRecords[kind], [field]: json });
      if (result instanceof PosternError) tell(result, indexes);
    }
  }
  if (told.size === 0) tell(whole, []);
  return undefined;
}

const where = 'request';

function attempt(draft: Json): EntityRecord | PosternError {
  try {
    return parseRecord(draft, where);
  } catch (error) {
    if (error instanceof PosternError) return error;
    throw error;
  }
}

/** What the parser says after the name of the field. */
function messageOfProblem({ message }: PosternError, field: string): string {
  return message.slice(`${where}: ${field} `.length);
}

interface Part {
  readonly json: unknown;
  /** Where it stood in the lists that it was taken out of. */
  readonly indexes: readonly number[];
}

function* partsOf(value: unknown): Generator<Part> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      for (const part of partsOf(value[i])) yield { json: [part.json], indexes: [i, ...part.indexes] };
    }
    return;
  }
  const least = leastPart(value);
  if (least === undefined) {
    yield { json: value, indexes: [] };
    return;
  }
  for (const [field, inner] of Object.entries(value as Json)) {
    for (const { json, indexes } of partsOf(inner)) yield { json: { ...least, [field]: json }, indexes };
  }
}

/** The least that is legal of a permission or a grant; undefined for what is tried as a whole. */
function leastPart(value: unknown): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('actions' in value) return { objects: '*', actions: [] };
  if ('role' in value) return { role: 'r', subject: 'creator' };
  return 'member' in value ? { group: 'created', member: 'creator' } : undefined;
}

const wireNames: Readonly<Record<string, string>> = {
  expiresAt: 'expires_at',
  grantAction: 'grant_action',
  cascade: 'no_cascade',
  inherit: 'no_inherit',
};

/** A field of a record as the proto calls it. */
function toWireField(field: string, draft: Json): string {
  if (draft.kind === 'type') return field.replace(/^(actions|parents)\[/, '$1.names[');
  const permission = /^permissions\[(\d+)\]$/.exec(field);
  if (permission !== null) {
    const written = (draft.permissions as readonly unknown[])[Number(permission[1])];
    return typeof written === 'string' ? `${field}.short` : field;
  }
  return field.replace(/(?<=^|\.)\w+$/, (name) => wireNames[name] ?? name);
}
