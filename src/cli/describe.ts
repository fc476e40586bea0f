/** Decisions in words, for people. Pure text; called by the commands that print them. */
import { type Decision, Mode, Reason, ReasonSchema } from '../gen/postern/v1/decision_pb.ts';
import { type Colours, visible } from './output.ts';

/** `["user:alice","editor","doc:42","allow"]` as "user:alice editor on doc:42". Text that is none is shown as it is. */
export function describeBinding(binding: string): string {
  let parts: unknown;
  try {
    parts = JSON.parse(binding);
  } catch {
    return visible(binding);
  }
  return Array.isArray(parts) ? describeBindingParts(parts) : visible(binding);
}

/** What stands for a part that a mask of the decision log dropped. */
const masked = '(masked)';

/** The same from its parts: [subject, role, scope, effect] or [subject, role, scope, effect, name]. */
export function describeBindingParts([subject, role, scope, effect, name]: readonly unknown[]): string {
  const place = scope === null ? masked : typeof scope === 'string' ? scope : JSON.stringify(scope);
  const marks = [...(name === undefined ? [] : [name ?? masked]), ...(effect === 'deny' ? ['deny'] : [])];
  return visible(`${subject ?? masked} ${role} on ${place}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`);
}

/** "allowed" or "denied", with what a mode made of it. */
export function describeOutcome(decision: Decision, mode: Mode, colours: Colours): string {
  const word = decision.allowed ? colours.green('allowed') : colours.red('denied');
  if (mode === Mode.OFF) return `${word} ${colours.yellow('(enforcement is off)')}`;
  if (mode !== Mode.SHADOW) return word;
  return `${word} ${colours.yellow(`(shadow mode: enforced, it would be ${decision.enforcedAllowed ? 'allowed' : 'denied'})`)}`;
}

/** "ALLOWED by user:alice editor on doc:42 · decision 01J... · revision e.5", and the age of data that may be behind. */
export function describeWhy(decision: Decision, revision: string, dataAgeMs: number): string {
  const { ROLE_LACKS_PERMISSION, CONDITION_NOT_MET } = Reason;
  const isClosest = decision.reason === ROLE_LACKS_PERMISSION || decision.reason === CONDITION_NOT_MET;
  const link = isClosest ? ', closest is' : ' by';
  const binding = decision.binding === '' ? '' : `${link} ${describeBinding(decision.binding)}`;
  const age = dataAgeMs === 0 ? '' : ` · known to be the newest ${dataAgeMs / 1_000} s ago`;
  return `${nameOfReason(decision.reason)}${binding} · decision ${decision.decisionId} · revision ${revision}${age}`;
}

/** "NO_ROLE". */
export function nameOfReason(reason: Reason): string {
  return ReasonSchema.value[reason]?.localName ?? String(reason);
}
