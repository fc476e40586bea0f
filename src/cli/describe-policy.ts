/** Records of a role graph, as the wire has them, in words. Pure text; called by the commands that list them. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Binding,
  Effect,
  type Member,
  type Object$,
  type Permission,
  type Role,
} from '../gen/postern/v1/policy_pb.ts';
import { formatInstant } from '../policy-file/instant.ts';
import { visible } from './output.ts';

/** "user:bob viewer on doc:1 (until 2027-01-01T00:00:00Z, locked)". */
export function describeBindingRecord(binding: Binding): string {
  const { subject, role, scope, effect, name, expiresAt, noCascade, condition, locked, note } = binding;
  const marks = [
    effect === Effect.DENY && 'deny',
    name,
    untilOf(expiresAt),
    noCascade && 'this only',
    condition && `if ${condition}`,
    locked && 'locked',
  ].filter((mark) => typeof mark === 'string' && mark !== '');
  const words = `${subject} ${role} on ${scope}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
  return visible(note === '' ? words : `${words}  # ${note}`);
}

/** "user:bob", with the end of the membership. */
export function describeMember({ member, expiresAt }: Member): string {
  const until = untilOf(expiresAt);
  return visible(until === '' ? member : `${member} (${until})`);
}

/** "group:sre (until 2027-01-01T00:00:00Z)", or "group:all through group:sre" where the member is in that one. */
export function describeMembership({ group, member, expiresAt }: Member, of: string): string {
  const until = untilOf(expiresAt);
  return visible(`${group}${member === of ? '' : ` through ${member}`}${until === '' ? '' : ` (${until})`}`);
}

/** "doc:1 in folder:a, folder:b (no inherit)". */
export function describeObject({ object, parents }: Object$): string {
  const places = parents.map((parent) => (parent.noInherit ? `${parent.object} (no inherit)` : parent.object));
  return visible(places.length === 0 ? object : `${object} in ${places.join(', ')}`);
}

/** "editor (system): doc:write, all of viewer". */
export function describeRole({ name, system, permissions, except, includes }: Role): string {
  const parts = [
    ...permissions.map(describePermission),
    ...except.map((permission) => `not ${permission}`),
    ...includes.map((role) => `all of ${role}`),
  ];
  return visible(`${name}${system ? ' (system)' : ''}: ${parts.length === 0 ? 'nothing' : parts.join(', ')}`);
}

/** All that there is to a role, a line for each part. */
export function showRole({ name, description, system, grantAction, permissions, except, includes }: Role): string {
  const rows = [
    ['role', `${name}${system ? ' (system)' : ''}`],
    ['description', description],
    ...includes.map((role) => ['includes', role]),
    ...permissions.map((permission) => ['permission', describePermission(permission)]),
    ...except.map((permission) => ['except', permission]),
    ['granted by', grantAction === '' ? 'grant' : grantAction],
  ] as const;
  const shown = rows.filter(([, value]) => value !== '');
  return shown.map(([label, value]) => visible(`${label?.padEnd(12)} ${value}`)).join('\n');
}

/** "doc:read", or "read, write on doc:a*". */
export function describePermission({ short, objects, actions }: Permission): string {
  return short === '' ? `${actions.join(', ')} on ${objects}` : short;
}

function untilOf(expiresAt: Timestamp | undefined): string {
  return expiresAt === undefined ? '' : `until ${formatInstant(timestampMs(expiresAt))}`;
}
