/**
 * For whom a call is judged: the caller, or the subject that it acts for. Called by administration.ts before anything
 * else. Tenants that a credential is not good for are refused here.
 */
import type { Identity } from '../authn/identity.ts';
import { decide } from '../engine/decide.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { PosternError } from '../model/errors.ts';
import { anonymous, checked, problemOfSubject, quote } from '../model/names.ts';

export interface Actor {
  /** Whom history names. */
  readonly subject: string;
  /** Bound by nothing but validity. */
  readonly operator: boolean;
  /** Who acts for `subject`, where that is somebody else. */
  readonly via: string | undefined;
}

/** @throws PosternError NOT_PERMITTED */
export function checkTenant({ subject, tenants }: Identity, tenant: string): void {
  if (tenants === undefined || tenants.includes(tenant)) return;
  throw new PosternError('NOT_PERMITTED', `the credential of ${subject} is not good for tenant ${quote(tenant)}`, {
    field: 'tenant',
  });
}

/** @throws PosternError NOT_PERMITTED */
export function checkOperator({ subject, operator }: Identity, doing: string): void {
  if (operator) return;
  throw new PosternError('NOT_PERMITTED', `${subject} may not ${doing}: only an operator may`);
}

/**
 * @param onBehalfOf The subject to act for, or empty.
 * @throws PosternError NOT_PERMITTED, INVALID_SUBJECT, CONDITION_FAILED
 */
export function actorOf(caller: Identity, snapshot: Snapshot, onBehalfOf: string, nowMs: number): Actor {
  const { subject, operator } = caller;
  if (onBehalfOf === '' || onBehalfOf === subject) return { subject, operator, via: undefined };
  checked(onBehalfOf, problemOfActor(onBehalfOf), 'INVALID_SUBJECT', 'on_behalf_of');
  const query = { subject, action: 'impersonate', object: '', reach: 'inherited', assertedGroups: [] } as const;
  if (!operator && !decide(snapshot, query, nowMs).allowed) {
    const message = `${subject} may not act for ${onBehalfOf}: it takes the action "impersonate" on the tenant`;
    throw new PosternError('NOT_PERMITTED', message, { field: 'on_behalf_of' });
  }
  return { subject: onBehalfOf, operator: false, via: subject };
}

function problemOfActor(subject: string): string | undefined {
  if (subject === anonymous) return 'is nobody in particular; name one subject';
  return subject.startsWith('group:') ? 'is a group; name one subject' : problemOfSubject(subject);
}
