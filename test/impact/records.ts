// Decisions of a log for tests: one constructor, with ids and times that go up.
import type { DecisionRecord } from '../../src/decision-log/record.ts';
import { decide } from '../../src/engine/decide.ts';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import type { Query, Verdict } from '../../src/model/query.ts';
import { checkAttributes } from '../../src/pdp/check-query.ts';

export const beganMs = Date.parse('2026-06-01T12:00:00.000Z');
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The id of the decision with a number; the time in it is that of the record. */
export function decisionId(n: number, ms = beganMs + n): string {
  let time = '';
  for (let rest = ms; time.length < 10; rest = Math.floor(rest / 32)) time = `${alphabet[rest % 32]}${time}`;
  let last = '';
  for (let rest = n; last.length < 16; rest = Math.floor(rest / 32)) last = `${alphabet[rest % 32]}${last}`;
  return `${time}${last}`;
}

export function decisionRecord(n: number, overrides: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    id: decisionId(n),
    instance: 'i1',
    seq: n,
    time: new Date(beganMs + n).toISOString(),
    tenant: 'default',
    subject: 'user:alice',
    action: 'read',
    object: 'doc:42',
    allowed: true,
    reason: 'ALLOWED',
    revision: 'e.1',
    mode: 'enforce',
    source: 'check',
    ...overrides,
  };
}

const off: Verdict = { allowed: true, reason: 'ENFORCEMENT_OFF', binding: '' };

/** What a sidecar would have recorded, in the mode of the graph. @throws PosternError what a caller would get */
export function decidedRecord(n: number, snapshot: Snapshot, query: Query, nowMs = beganMs + n): DecisionRecord {
  const { mode, attributeTypes } = snapshot;
  checkAttributes(query.attributes, attributeTypes, '');
  const { allowed, reason, binding } = mode === 'off' ? off : decide(snapshot, query, nowMs);
  const { object: _, ...rest } = decisionRecord(n);
  return {
    ...rest,
    time: new Date(nowMs).toISOString(),
    subject: query.subject,
    action: query.action,
    ...(query.object === '' ? {} : { object: query.object }),
    ...(query.reach === 'exact' ? { reach: 'exact' } : {}),
    ...(query.assertedGroups.length === 0 ? {} : { asserted_groups: query.assertedGroups }),
    ...(query.activeRoles?.length ? { active_roles: query.activeRoles } : {}),
    ...(query.attributes === undefined ? {} : { attributes: query.attributes }),
    mode,
    allowed: allowed || mode !== 'enforce',
    ...(allowed || mode === 'enforce' ? {} : { enforced_allowed: false }),
    reason,
    ...(binding === '' ? {} : { binding: JSON.parse(binding) as unknown[] }),
  };
}
