/**
 * What Django's permissions are called in the graph: "app_label.codename" becomes
 * an action on objects of type "app_label.model". Called by guardian.ts and
 * guardian-roles.ts. Where a name cannot be told for certain it is refused with
 * what to add to the dump, and never guessed twice in two ways.
 */
import { isType, problemOfAction, quote } from '../model/names.ts';
import type { Dump, Holding } from './guardian-dump.ts';
import { invalid } from './input.ts';

/** A permission as the graph has it. */
export interface NamedPermission {
  /** The content type: "file.filerepository". */
  readonly type: string;
  /** "change" for "file.change_filerepository". */
  readonly action: string;
}

export interface GuardianNames {
  /** @throws PosternError INVALID_REQUEST for what is no permission, or would be the same as another one */
  permission(written: string, place: string): NamedPermission;
  /** The object of a holding: "file.filerepository:42". @throws PosternError INVALID_REQUEST */
  object(holding: Holding): string;
}

const advice = 'say in "content_types" to which content type it belongs: {"app.codename": "app.model"}';
const standard = /^(?:add|change|delete|view)_(.+)$/;
const typedObject = /^([A-Za-z_][A-Za-z0-9_]*\.[A-Za-z0-9_]+):(.+)$/s;

/** Learns from the dump which permission belongs to which content type. @throws PosternError INVALID_REQUEST */
export function createGuardianNames(dump: Dump): GuardianNames {
  const typeOfPermission = new Map(dump.contentTypes);
  const typeOfUrl = new Map<string, string>();
  const writtenAs = new Map<string, string>();

  function learn(permission: string, type: string, place: string): void {
    const known = typeOfPermission.get(permission);
    if (known !== undefined && known !== type) {
      throw invalid(place, `gives ${quote(permission)} on a ${type}, but it belongs to ${known} elsewhere`);
    }
    typeOfPermission.set(permission, type);
  }

  function typeOf(permission: string, place: string): string {
    const known = typeOfPermission.get(permission);
    if (known !== undefined) return known;
    const [app, codename] = splitPermission(permission, place);
    const [model, other] = modelsIn(codename);
    if (model === undefined || other !== undefined)
      throw invalid(place, `has permission ${quote(permission)}; ${advice}`);
    return `${app}.${model}`;
  }

  /** Permissions on one object have one content type: the one that all their names hold. */
  function learnUrl(url: string, holdings: readonly Holding[]): boolean {
    const all = holdings.flatMap(({ permissions, place }) => permissions.map((permission) => ({ permission, place })));
    const known = all.map(({ permission }) => typeOfPermission.get(permission)).find((type) => type !== undefined);
    const [type, other] = known === undefined ? typesOfAll(all) : [known];
    if (type === undefined || other !== undefined) return false;
    typeOfUrl.set(url, type);
    for (const { permission, place } of all) learn(permission, type, place);
    return true;
  }

  const onObjects = dump.holdings.filter(({ object }) => object !== '');
  for (const { object, permissions, place } of onObjects) {
    const type = typedObject.exec(object)?.[1];
    if (type !== undefined) for (const permission of permissions) learn(permission, type, place);
  }
  const urls = onObjects.filter(({ object }) => !typedObject.test(object));
  const byUrl = [...Map.groupBy(urls, ({ object }) => object)];
  // What the clear ones tell may be what the others lack.
  for (const [url, holdings] of byUrl.filter(([url, holdings]) => !learnUrl(url, holdings))) {
    if (!learnUrl(url, holdings)) {
      throw invalid(
        (holdings[0] as Holding).place,
        `has object ${quote(url)}, whose content type is not certain; ${advice}`,
      );
    }
  }

  return {
    permission(written, place) {
      const type = typeOf(written, place);
      const codename = splitPermission(written, place)[1];
      const suffix = `_${type.slice(type.indexOf('.') + 1)}`;
      const action = codename.endsWith(suffix) && codename !== suffix ? codename.slice(0, -suffix.length) : codename;
      if (!isType(type)) throw invalid(place, `has content type ${quote(type)}, which is not legal as a type`);
      const problem = action.includes('*') ? 'holds a "*", which would stand for any action' : problemOfAction(action);
      if (problem !== undefined) throw invalid(place, `has permission ${quote(written)}, whose action ${problem}`);
      const known = writtenAs.get(`${type}:${action}`);
      if (known !== undefined && known !== written) {
        throw invalid(
          place,
          `has permission ${quote(written)}, which would be the same as ${quote(known)}: ${type}:${action}`,
        );
      }
      writtenAs.set(`${type}:${action}`, written);
      return { type, action };
    },
    object({ object, permissions, place }) {
      if (typedObject.test(object)) return object;
      const type = typeOfUrl.get(object);
      if (type === undefined)
        throw invalid(place, `has ${permissions.length} permissions on ${quote(object)}, of no known type`);
      return `${type}:${object}`;
    },
  };
}

/** What the model of a permission may be called: "filerepository" for "change_filerepository". */
function modelsIn(codename: string): readonly string[] {
  const last = codename.slice(codename.lastIndexOf('_') + 1);
  return [...new Set([standard.exec(codename)?.[1] ?? last, last])];
}

/** The content types that every one of the permissions can belong to. */
function typesOfAll(all: readonly { readonly permission: string; readonly place: string }[]): readonly string[] {
  const split = all.map(({ permission, place }) => splitPermission(permission, place));
  const types = new Set(split.flatMap(([app, codename]) => modelsIn(codename).map((model) => `${app}.${model}`)));
  return [...types].filter((type) => {
    const [app = '', model = ''] = type.split('.');
    return split.every(([ofApp, codename]) => ofApp === app && `${codename}_`.includes(`_${model}_`));
  });
}

function splitPermission(text: string, place: string): readonly [app: string, codename: string] {
  const dot = text.indexOf('.');
  if (dot <= 0 || dot === text.length - 1) {
    throw invalid(place, `has permission ${quote(text)}; write "app_label.codename"`);
  }
  return [text.slice(0, dot), text.slice(dot + 1)];
}
