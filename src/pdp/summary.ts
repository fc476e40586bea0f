/** An explanation in one sentence, for a person. */

import type { Path } from '../engine/explain.ts';
import type { Decision, Query } from '../model/query.ts';

/** Says what was decided, through which binding, and by which way. */
export function summarise(query: Query, decision: Decision, path: Path | undefined): string {
  const verb = decision.enforcedAllowed ? 'may' : 'may not';
  const asked = `${query.subject} ${verb} ${query.action}${query.object === '' ? '' : ` ${query.object}`}`;
  if (decision.reason === 'ENFORCEMENT_OFF') {
    return `${asked}: enforcement is off for this tenant, so nothing was evaluated.`;
  }
  const shadow = decision.mode === 'shadow' ? ' The tenant is in shadow mode: the caller was told "allowed".' : '';
  return `${asked}: ${path === undefined ? nothingReaches(query) : because(query, decision, path)}.${shadow}`;
}

function nothingReaches(query: Query): string {
  const where = query.object === '' ? 'the tenant' : query.object;
  return `no binding of this subject, of its groups or of a wildcard reaches ${where}`;
}

/** "user:a, through group:b and group:c, holds role editor on folder:plans (above doc:1); editor includes viewer, which permits doc:read". */
function because(query: Query, decision: Decision, path: Path): string {
  const through = path.subjectSteps.map((step) => step.to).join(' and ');
  const holder = through === '' ? query.subject : `${query.subject}, through ${through},`;
  const above = path.objectSteps.length === 0 ? '' : ` (above ${query.object})`;
  const role = path.roles[0] as string;
  const verb = path.effect === 'deny' ? 'is denied' : 'holds';
  const held = `${holder} ${verb} role ${role} on ${path.scope === '*' ? 'the whole tenant' : path.scope}${above}`;
  if (decision.reason === 'CONDITION_NOT_MET') return `${held}, but only where ${path.condition}`;
  if (decision.reason === 'ROLE_LACKS_PERMISSION') {
    const active = query.activeRoles?.length ? `what is active of it (${query.activeRoles.join(', ')})` : 'that role';
    return `${held}, but ${active} does not permit it`;
  }
  const chain = path.roles.length === 1 ? 'which' : `${path.roles.join(', which includes ')}, which`;
  return path.roles.length === 1
    ? `${held}, ${chain} permits ${path.permission}`
    : `${held}: ${chain} permits ${path.permission}`;
}
