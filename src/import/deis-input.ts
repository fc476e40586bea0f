/**
 * A dump of a Deis controller's database, as Django's dumpdata writes it, with
 * plain keys or with --natural-foreign. Called by deis.ts. What it returns is
 * resolved to names; what the dump refers to and does not hold is an error.
 */
import { problemOfObject, problemOfSubject, quote } from '../model/names.ts';
import { isAbsent, nameOf, refuseTwice } from './documents.ts';
import type { Source } from './importer.ts';
import { type Field, fieldOf, flagOf, invalid, itemsOf, parseJson, textOf } from './input.ts';

export interface DeisUser {
  readonly name: string;
  readonly superuser: boolean;
  readonly active: boolean;
}

export interface DeisApp {
  readonly name: string;
  readonly owner: string;
}

/** Something that is decided on its app, as "build:<uuid>". */
export interface DeisPart {
  readonly object: string;
  readonly app: string;
}

/** A certificate or an SSH key: its owner's alone. */
export interface DeisPossession {
  readonly object: string;
  readonly owner: string;
}

/** An object permission, as it was found. */
export interface DeisGrant {
  readonly user: string;
  readonly codename: string;
  /** Name of the app; undefined where the permission is about something else, or the app is gone. */
  readonly app: string | undefined;
  /** What it is about, in the dump's words. */
  readonly on: string;
}

export interface DeisSystem {
  readonly users: readonly DeisUser[];
  readonly apps: readonly DeisApp[];
  readonly parts: readonly DeisPart[];
  readonly possessions: readonly DeisPossession[];
  readonly grants: readonly DeisGrant[];
  /** Object permissions of groups: Deis has no command that makes one. */
  readonly groupGrants: number;
}

interface Row {
  readonly row: Field;
  readonly fields: Field;
}

/** Models that belong to an app. */
export const partTypes = ['build', 'config', 'release', 'domain', 'tls', 'appsettings'] as const;

/** The users that the permission library makes for those who have not logged in. */
export const anonymousUser = 'AnonymousUser';

/** @throws PosternError INVALID_REQUEST */
export function parseDeis(sources: readonly Source[]): DeisSystem {
  const rows = Map.groupBy(
    sources.flatMap((source) => itemsOf(parseJson(source)).map(toRow)),
    ({ model }) => model,
  );
  const of = (model: string): readonly Row[] => rows.get(model) ?? [];
  if (of('auth.user').length === 0) {
    const file = sources[0]?.name ?? 'the input';
    throw invalid(`${file}:`, 'has no auth.user; dump auth, api, guardian and contenttypes');
  }
  const users = parseUsers(of('auth.user'));
  const apps = parseApps(of('api.app'), users);
  const seen = new Set<string>();
  return {
    users: [...users.byName.values()],
    apps: [...apps.values()],
    parts: partTypes.flatMap((type) => of(`api.${type}`).map((row) => parsePart(type, row, apps, seen))),
    possessions: ['certificate', 'key'].flatMap((type) =>
      of(`api.${type}`).map((row) => {
        const object = objectOfRow(type, type === 'certificate' ? fieldOf(row.fields, 'name') : fieldOf(row.row, 'pk'));
        refuseTwice(seen, object, row.row, type);
        return { object, owner: userAt(fieldOf(row.fields, 'owner'), users) };
      }),
    ),
    grants: of('guardian.userobjectpermission').map((row) => parseGrant(row, users, apps, of)),
    groupGrants: of('guardian.groupobjectpermission').length,
  };
}

function toRow(row: Field): Row & { readonly model: string } {
  return { model: textOf(fieldOf(row, 'model')).toLowerCase(), row, fields: fieldOf(row, 'fields') };
}

/** A key as text: numbers and texts never meet in one table. */
function keyOf(value: Field): string {
  if (typeof value.value === 'number' || (typeof value.value === 'string' && value.value !== ''))
    return `${value.value}`;
  throw invalid(value.place, 'is no key; it must be a number or text');
}

interface Users {
  readonly byKey: ReadonlyMap<string, DeisUser>;
  readonly byName: ReadonlyMap<string, DeisUser>;
}

/** By name, and by primary key where the dump has one. */
function parseUsers(rows: readonly Row[]): Users {
  const names = new Set<string>();
  const byName = new Map<string, DeisUser>();
  const byKey = new Map<string, DeisUser>();
  for (const { row, fields } of rows) {
    const username = fieldOf(fields, 'username');
    const name = nameOf(username, (text) => `user:${text}`, problemOfSubject);
    nameOf(username, (text) => `account:${text}`, problemOfObject);
    refuseTwice(names, name, username, 'user');
    const user = {
      name,
      superuser: flagOf(fieldOf(fields, 'is_superuser'), false),
      active: flagOf(fieldOf(fields, 'is_active'), true) && name !== anonymousUser,
    };
    byName.set(name, user);
    const pk = fieldOf(row, 'pk');
    if (isAbsent(pk)) continue;
    if (byKey.has(keyOf(pk))) throw invalid(pk.place, 'is the key of two users; dump again');
    byKey.set(keyOf(pk), user);
  }
  return { byKey, byName };
}

/** The name of a user that is referred to by key or, naturally, as [name]. */
function userAt(value: Field, { byKey, byName }: Users): string {
  const natural = Array.isArray(value.value) ? textOf(itemsOf(value)[0] ?? value) : undefined;
  const user = natural === undefined ? byKey.get(keyOf(value)) : byName.get(natural);
  if (user !== undefined) return user.name;
  throw invalid(value.place, `refers to the user ${quote(natural ?? keyOf(value))}, whom the dump does not have`);
}

function parseApps(rows: readonly Row[], users: Users): ReadonlyMap<string, DeisApp> {
  const names = new Set<string>();
  const apps = new Map<string, DeisApp>();
  for (const { row, fields } of rows) {
    const id = fieldOf(fields, 'id');
    const name = nameOf(id, (text) => `app:${text}`, problemOfObject);
    refuseTwice(names, name, id, 'app');
    const pk = fieldOf(row, 'pk');
    if (apps.has(keyOf(pk))) throw invalid(pk.place, 'is the key of two apps; dump again');
    apps.set(keyOf(pk), { name, owner: userAt(fieldOf(fields, 'owner'), users) });
  }
  return apps;
}

function parsePart(
  type: string,
  { row, fields }: Row,
  apps: ReadonlyMap<string, DeisApp>,
  seen: Set<string>,
): DeisPart {
  const object = objectOfRow(type, type === 'domain' ? fieldOf(fields, 'domain') : fieldOf(row, 'pk'));
  refuseTwice(seen, object, row, type);
  const ref = fieldOf(fields, 'app');
  const app = apps.get(keyOf(ref));
  if (app === undefined)
    throw invalid(ref.place, `refers to the app ${quote(keyOf(ref))}, which the dump does not have`);
  return { object, app: app.name };
}

function objectOfRow(type: string, id: Field): string {
  const text = keyOf(id);
  return `${type}:${nameOf({ ...id, value: text }, (name) => `${type}:${name}`, problemOfObject)}`;
}

type RowsOf = (model: string) => readonly Row[];

function parseGrant({ fields }: Row, users: Users, apps: ReadonlyMap<string, DeisApp>, of: RowsOf): DeisGrant {
  const { codename, model } = permissionAt(fieldOf(fields, 'permission'), of);
  const key = keyOf(fieldOf(fields, 'object_pk'));
  return {
    user: userAt(fieldOf(fields, 'user'), users),
    codename,
    app: model === 'api.app' ? apps.get(key)?.name : undefined,
    on: `${model} ${key}`,
  };
}

/** A permission by key, or naturally as [codename, app label, model]. */
function permissionAt(value: Field, of: RowsOf): { readonly codename: string; readonly model: string } {
  if (Array.isArray(value.value)) {
    const [codename = value, label = value, model = value] = itemsOf(value);
    return { codename: textOf(codename), model: `${textOf(label)}.${textOf(model)}` };
  }
  const { fields } = rowAt('auth.permission', value, of);
  return { codename: textOf(fieldOf(fields, 'codename')), model: modelAt(fieldOf(fields, 'content_type'), of) };
}

function modelAt(value: Field, of: RowsOf): string {
  if (Array.isArray(value.value)) {
    const [label = value, model = value] = itemsOf(value);
    return `${textOf(label)}.${textOf(model)}`;
  }
  const { fields } = rowAt('contenttypes.contenttype', value, of);
  return `${textOf(fieldOf(fields, 'app_label'))}.${textOf(fieldOf(fields, 'model'))}`;
}

function rowAt(model: string, value: Field, of: RowsOf): Row {
  const key = keyOf(value);
  const row = of(model).find(({ row }) => keyOf(fieldOf(row, 'pk')) === key);
  if (row !== undefined) return row;
  throw invalid(
    value.place,
    `refers to ${model} ${quote(key)}, which is not in the dump; dump it too, or use --natural-foreign`,
  );
}
