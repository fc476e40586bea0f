/** Records of the decision log as lines for people. Pure text; called by `postern tail`. */
import type { LogRecord } from '../decision-log/record.ts';
import { describeBindingParts } from './describe.ts';
import { type Colours, visible } from './output.ts';

/** `2026-06-01T12:00:00.000Z allowed user:alice read doc:42  ALLOWED by user:alice editor on doc:42`. */
export function describeRecord(record: LogRecord, colours: Colours): string {
  const time = colours.dim(record.time);
  if (record.type === 'gap') {
    const { first, last, instance, cause } = record;
    const missing = last - first + 1;
    return `${time} ${colours.yellow(visible(`gap: ${missing} missing, ${first} to ${last} of ${instance}: ${cause}`))}`;
  }
  const { allowed, enforced_allowed: enforced, subject, action, object, reason, binding, source, results } = record;
  const { data_age_ms: age } = record;
  const word = allowed ? colours.green('allowed') : colours.red('denied ');
  const asked = visible([subject, action, object].filter((part) => part !== undefined).join(' '));
  const link = reason === 'ROLE_LACKS_PERMISSION' ? ', closest is' : ' by';
  const why = binding === undefined ? reason : `${reason}${link} ${describeBindingParts(binding)}`;
  const extras = [
    ...(enforced === undefined ? [] : [`enforced, it would be ${enforced ? 'allowed' : 'denied'}`]),
    ...(source === 'check' ? [] : [source]),
    ...(results === undefined ? [] : [`${results} results`]),
    ...(age === undefined ? [] : [`data ${age / 1_000} s old`]),
  ];
  const tail = extras.length === 0 ? '' : ` [${extras.join(', ')}]`;
  return `${time} ${word} ${asked}  ${colours.dim(visible(`${why}${tail}`))}`;
}
