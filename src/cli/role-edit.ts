/** What the options of `postern roles` make of a role. Pure; it must never change what no option names. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Permission, PermissionSchema, Role, RoleSchema } from '../gen/postern/v1/policy_pb.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { suggest } from '../policy-file/suggest.ts';
import { describePermission } from './describe-policy.ts';

/** Lists replace what is there; `add` and `remove` go from what is there. */
export interface RoleEdit {
  readonly permission?: readonly string[];
  readonly include?: readonly string[];
  readonly except?: readonly string[];
  readonly addPermission?: readonly string[];
  readonly addInclude?: readonly string[];
  readonly addExcept?: readonly string[];
  readonly removePermission?: readonly string[];
  readonly removeInclude?: readonly string[];
  readonly removeExcept?: readonly string[];
  readonly description?: string;
  readonly grantAction?: string;
}

type PermissionInit = MessageInitShape<typeof PermissionSchema>;

/** @throws PosternError INVALID_OPTION for no change at all, or one of what is not there */
export function editRole(role: Role, edit: RoleEdit): MessageInitShape<typeof RoleSchema> {
  const named = Object.keys(edit).some((key) =>
    /^((add|remove)?(permission|include|except)|description|grantAction)$/i.test(key),
  );
  if (!named) {
    const message = `nothing to change in role ${quote(role.name)}; name it, such as --add-permission doc:read`;
    throw new PosternError('INVALID_OPTION', message);
  }
  const keyOf = (permission: PermissionInit) => JSON.stringify(toWritten(permission));
  const itself = (text: string) => text;
  return {
    name: role.name,
    system: role.system,
    description: edit.description ?? role.description,
    grantAction: edit.grantAction ?? role.grantAction,
    permissions: editList<PermissionInit>(
      edit.permission?.map(parsePermissionOption) ?? role.permissions,
      edit.addPermission?.map(parsePermissionOption),
      edit.removePermission?.map(parsePermissionOption),
      { option: '--remove-permission', keyOf, show: (permission) => describePermission(permission as Permission) },
    ),
    includes: editList(edit.include ?? role.includes, edit.addInclude, edit.removeInclude, {
      option: '--remove-include',
      keyOf: itself,
      show: itself,
    }),
    except: editList(edit.except ?? role.except, edit.addExcept, edit.removeExcept, {
      option: '--remove-except',
      keyOf: itself,
      show: itself,
    }),
  };
}

/** "doc:read", or the long form as JSON. @throws PosternError INVALID_OPTION */
export function parsePermissionOption(text: string): { short: string; objects: string; actions: string[] } {
  if (!text.startsWith('{')) return { short: text, objects: '', actions: [] };
  let json: { readonly objects?: unknown; readonly actions?: unknown };
  try {
    json = JSON.parse(text) as typeof json;
  } catch (error) {
    throw invalidPermission(text, messageOf(error));
  }
  const { objects, actions, ...rest } = json;
  if (Object.keys(rest).length > 0) throw invalidPermission(text, `it has ${Object.keys(rest).join(', ')}`);
  if (!Array.isArray(actions) || !actions.every((action) => typeof action === 'string')) {
    throw invalidPermission(text, 'actions is not a list of texts');
  }
  if (typeof objects === 'string') return { short: '', objects, actions };
  if (typeof objects !== 'object' || objects === null) throw invalidPermission(text, 'objects is no scope');
  return { short: '', objects: JSON.stringify(objects), actions };
}

function invalidPermission(text: string, why: string): PosternError {
  const message = `permission ${quote(text)} is not {"objects": <scope>, "actions": [...]}: ${why}`;
  return new PosternError('INVALID_OPTION', message, { field: '--permission' });
}

function toWritten({ short = '', objects = '', actions = [] }: PermissionInit) {
  return [short, objects, actions];
}

function editList<T>(
  list: readonly T[],
  added: readonly T[] = [],
  removed: readonly T[] = [],
  { option, keyOf, show }: { readonly option: string; keyOf(item: T): string; show(item: T): string },
): T[] {
  const known = new Set(list.map(keyOf));
  for (const item of removed) {
    if (known.has(keyOf(item))) continue;
    const meant = suggest(show(item), list.map(show));
    const hint = meant === undefined ? '' : ` (did you mean ${quote(meant)}?)`;
    throw new PosternError('INVALID_OPTION', `${option} ${quote(show(item))} is not in the role${hint}`, {
      field: option,
    });
  }
  const gone = new Set(removed.map(keyOf));
  const kept = list.filter((item) => !gone.has(keyOf(item)));
  const there = new Set(kept.map(keyOf));
  return [...kept, ...added.filter((item) => !there.has(keyOf(item)))];
}
