/** Records of the decision log as lines for people. Pure text; called by `postern tail` and `postern audit`. */
import type {
  ChangeRecord,
  DecisionRecord,
  GapRecord,
  LogRecord,
  SealRecord,
  StartRecord,
} from '../decision-log/record.ts';
import { describeBindingParts } from './describe.ts';
import { type Colours, count, visible } from './output.ts';

/** `2026-06-01T12:00:00.000Z allowed user:alice read doc:42  ALLOWED by user:alice editor on doc:42`. */
export function describeRecord(record: LogRecord, colours: Colours): string {
  return `${colours.dim(record.time)} ${describeContent(record, colours)}`;
}

function describeContent(record: LogRecord, colours: Colours): string {
  switch (record.type) {
    case undefined:
      return describeDecision(record, colours);
    case 'change':
      return describeChange(record, colours);
    case 'gap':
      return colours.yellow(visible(describeGap(record)));
    case 'start':
      return colours.dim(visible(describeStart(record)));
    case 'stop':
      return colours.dim(visible(`stop: ${record.instance} ended in order, after number ${record.last}`));
    case 'seal':
      return colours.dim(visible(describeSeal(record)));
  }
}

function describeDecision(record: DecisionRecord, colours: Colours): string {
  const { allowed, enforced_allowed: enforced, subject, action, object, reason, binding, source, results } = record;
  const { data_age_ms: age, sample_rate: rate, masked } = record;
  const word = allowed ? colours.green('allowed') : colours.red('denied ');
  const asked = visible([subject ?? '(masked)', action, object].filter((part) => part !== undefined).join(' '));
  const link = reason === 'ROLE_LACKS_PERMISSION' ? ', closest is' : ' by';
  const why = binding === undefined ? reason : `${reason}${link} ${describeBindingParts(binding)}`;
  const extras = [
    ...(enforced === undefined ? [] : [`enforced, it would be ${enforced ? 'allowed' : 'denied'}`]),
    ...(source === 'check' ? [] : [source]),
    ...(results === undefined ? [] : [`${results} results`]),
    ...(age === undefined ? [] : [`data ${age / 1_000} s old`]),
    ...(rate === undefined ? [] : [`sampled at ${rate}`]),
    ...(masked === undefined ? [] : [`masked: ${masked.join(', ')}`]),
  ];
  const tail = extras.length === 0 ? '' : ` [${extras.join(', ')}]`;
  return `${word} ${asked}  ${colours.dim(visible(`${why}${tail}`))}`;
}

/** `changed user:alice  put binding, delete object [at e.7, because ticket 7]`. */
function describeChange(record: ChangeRecord, colours: Colours): string {
  const { allowed, by, via, why, error, revision, changes, changes_omitted: omitted = 0 } = record;
  const isDone = allowed && error === undefined;
  const word = isDone ? colours.green('changed') : colours.red(allowed ? 'failed ' : 'refused');
  const who = visible(via === undefined ? by : `${by} via ${via}`);
  const extras = [
    ...(error === undefined ? [] : [error]),
    ...(revision === undefined ? [] : [`at ${revision}`]),
    ...(why === undefined ? [] : [`because ${why}`]),
  ];
  const tail = extras.length === 0 ? '' : ` [${extras.join(', ')}]`;
  return `${word} ${who}  ${colours.dim(visible(`${count(changes.length + omitted, 'change')}${tail}`))}`;
}

function describeGap({ first, last, instance, cause }: GapRecord): string {
  return `gap: ${last - first + 1} missing, ${first} to ${last} of ${instance}: ${cause}`;
}

function describeStart({ instance, next, after, lost_ms: lostMs, log }: StartRecord): string {
  const lost = lostMs === undefined ? '' : `, which may have cost what was decided in its last ${lostMs} ms`;
  const kept = JSON.stringify(log);
  return `start: ${instance} begins with number ${next}, after ${after === 'nothing' ? after : `a ${after}`}${lost}; ${kept}`;
}

function describeSeal({ first, last, lines, instance, key }: SealRecord): string {
  const numbers = last < first ? '' : `, ${first} to ${last}`;
  return `seal: ${count(lines, 'line')} of ${instance}${numbers}, ${key === undefined ? 'not signed' : `signed by ${key}`}`;
}
