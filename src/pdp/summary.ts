/** An explanation in one sentence, for a person. */
import type { Decision, Query } from '../model/query.ts';
import type { ExplainedPath } from './view.ts';

/** Says what was decided, through which binding, and by which way. */
export function summarise(query: Query, decision: Decision, path: ExplainedPath | undefined): string {
  const asked = `${query.subject} ${decision.enforcedAllowed ? 'may' : 'may not'} ${query.action}${query.object === '' ? '' : ` ${query.object}`}`;
  if (decision.reason === 'ENFORCEMENT_OFF')
    return `${asked}: enforcement is off for this tenant, so nothing was evaluated.`;
  const shadow = decision.mode === 'shadow' ? ' The tenant is in shadow mode: the caller was told "allowed".' : '';
  return `${asked}: ${because(query, decision, path)}.${shadow}`;
}

function because(query: Query, decision: Decision, path: ExplainedPath | undefined): string {
  if (path === undefined) {
    const where = query.object === '' ? 'the tenant' : query.object;
    return `no binding of this subject, of its groups or of a wildcard reaches ${where}`;
  }
  const role = path.roles.join(' includes ');
  const holder =
    path.subjectSteps.length === 0
      ? 'it'
      : `${path.subjectSteps.map((step) => step.to).join(', in ')}, which it belongs to,`;
  const where = path.objectSteps.length === 0 ? path.scope : `${path.scope}, above ${query.object},`;
  if (decision.reason === 'ROLE_LACKS_PERMISSION')
    return `${holder} holds role ${role} on ${where} but that role does not permit this`;
  const verb = path.effect === 'deny' ? 'is denied' : 'holds';
  return `${holder} ${verb} role ${role} on ${where} with permission ${path.permission}`;
}
