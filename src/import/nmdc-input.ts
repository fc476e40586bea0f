/**
 * The four collections of an NMDC runtime that say who may do what, as
 * mongoexport writes them. Called by nmdc.ts. All four must be given: without
 * the deny list everything denied would be granted, and without the users
 * nobody would be disabled.
 */
import { PosternError } from '../model/errors.ts';
import { problemOfObject, problemOfSubject } from '../model/names.ts';
import { isAbsent, nameOf, parseDocuments, refuseTwice } from './documents.ts';
import type { Source } from './importer.ts';
import { type Field, fieldOf, flagOf, invalid, itemsOf, optionalItemsOf, parseJson, textOf } from './input.ts';

export interface NmdcUser {
  readonly name: string;
  readonly siteAdmin: readonly string[];
  readonly disabled: boolean;
}

export interface NmdcSite {
  readonly id: string;
  /** Client ids. */
  readonly clients: readonly string[];
}

/** A document of either list. The name may be a user's or a site client's, or nobody's. */
export interface Allowance {
  readonly username: string;
  readonly action: string;
}

export interface NmdcSystem {
  readonly users: readonly NmdcUser[];
  readonly sites: readonly NmdcSite[];
  readonly allow: readonly Allowance[];
  readonly deny: readonly Allowance[];
}

const collections = ['users', 'sites', '_runtime.api.allow', '_runtime.api.deny'] as const;
type Collection = (typeof collections)[number];

/**
 * Parses one file for each collection, named after it, or files that hold an object with a list for each.
 * @throws PosternError INVALID_REQUEST
 */
export function parseNmdc(sources: readonly Source[]): NmdcSystem {
  const found = new Map<Collection, readonly Field[]>();
  for (const source of sources) {
    for (const [name, documents] of collectionsIn(source)) {
      if (found.has(name)) {
        throw invalid(`${source.name}:`, `is the collection ${name} once more; give each collection once`);
      }
      found.set(name, documents);
    }
  }
  const documentsOf = (name: Collection) => {
    const documents = found.get(name);
    if (documents !== undefined) return documents;
    const problem = `the collection ${name} is missing; export it too, even an empty one: what it refuses must be known`;
    throw new PosternError('INVALID_REQUEST', problem, { field: name });
  };
  return {
    users: parseUsers(documentsOf('users')),
    sites: parseSites(documentsOf('sites')),
    allow: documentsOf('_runtime.api.allow').map(parseAllowance),
    deny: documentsOf('_runtime.api.deny').map(parseAllowance),
  };
}

function collectionsIn(source: Source): readonly (readonly [Collection, readonly Field[]])[] {
  const base = source.name
    .split(/[/\\]/)
    .at(-1)
    ?.replace(/\.(json|jsonl|ndjson)$/, '');
  const named = collections.find((name) => base === name || base?.endsWith(`.${name}`));
  if (named !== undefined) return [[named, parseDocuments(source)]];
  const document = parseJson(source);
  const inside = collections.flatMap((name) => {
    const list = fieldOf(document, name);
    return list.value === undefined ? [] : [[name, itemsOf(list)] as const];
  });
  if (inside.length > 0) return inside;
  throw invalid(
    document.place,
    `is no collection that is known; name the file after its collection (${collections.join(', ')}), or give one object with these fields`,
  );
}

function parseUsers(documents: readonly Field[]): readonly NmdcUser[] {
  const seen = new Set<string>();
  return documents.map((document) => {
    const username = fieldOf(document, 'username');
    const name = nameOf(username, (text) => `user:${text}`, problemOfSubject);
    refuseTwice(seen, name, username, 'user');
    return {
      name,
      siteAdmin: optionalItemsOf(fieldOf(document, 'site_admin')).map(textOf),
      disabled: flagOf(fieldOf(document, 'disabled'), false),
    };
  });
}

function parseSites(documents: readonly Field[]): readonly NmdcSite[] {
  const seenSites = new Set<string>();
  const seenClients = new Set<string>();
  return documents.map((document) => {
    const id = fieldOf(document, 'id');
    const name = nameOf(id, (text) => `site:${text}`, problemOfObject);
    refuseTwice(seenSites, name, id, 'site');
    const clients = optionalItemsOf(fieldOf(document, 'clients')).map((client) => {
      const own = fieldOf(client, 'id');
      const clientId = isAbsent(own) ? fieldOf(client, 'client_id') : own;
      const clientName = nameOf(clientId, (text) => `service:${text}`, problemOfSubject);
      refuseTwice(seenClients, clientName, clientId, 'site client');
      return clientName;
    });
    return { id: name, clients };
  });
}

function parseAllowance(document: Field): Allowance {
  return { username: textOf(fieldOf(document, 'username')), action: textOf(fieldOf(document, 'action')) };
}
