/** What a replay found, in words. Pure text; called by `postern replay`. impact-json.ts says it for machines. */
import type { Outcome } from '../impact/decide-again.ts';
import type { Distinct } from '../impact/distinct.ts';
import type { Report } from '../impact/replay.ts';
import {
  type ChangedDecision,
  type Direction,
  directions,
  type Example,
  type Group,
  totalOf,
} from '../impact/tally.ts';
import { describeBinding } from './describe.ts';
import { type Colours, count, visible } from './output.ts';

const words: Readonly<Record<Direction, string>> = {
  newly_denied: 'newly denied',
  newly_allowed: 'newly allowed',
  newly_failing: 'without an answer',
};
/** Bindings of a group that are named. */
const mostBindings = 2;

/** What it was about. */
export interface Compared {
  /** "policy.yaml". */
  readonly proposed: string;
  /** Undefined where it is what was recorded. */
  readonly baseline: string | undefined;
}

/** The lines above the groups: what was replayed, what would change, and what could not be said. */
export function describeSummary(report: Report, { proposed, baseline }: Compared, colours: Colours): string {
  const { decisions, from, to, changed, notReplayed, replayed, ungrouped } = report;
  const period = decisions === 0 ? '' : ` from ${from} to ${to}`;
  const total = totalOf(report.changed);
  const parts = directions.filter((one) => changed[one] > 0).map((one) => `${changed[one]} ${words[one]}`);
  const would = total === 0 ? colours.green('none would change') : colours.bold(`${total} would change`);
  const { lists, masked, notEnforced } = notReplayed;
  const left = [
    ...(lists === 0 ? [] : [count(lists, 'list')]),
    ...(masked === 0 ? [] : [`${masked} of which a part is masked`]),
    ...(notEnforced === 0 ? [] : [`${notEnforced} made while enforcement was off`]),
  ];
  const lines = [
    visible(`${count(decisions, 'decision')}${period}, ${replayed} of them decided again under ${proposed}`),
    `${would}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}${total === 0 ? '' : shareOf(total, replayed)}`,
    ...(baseline === undefined ? [] : [colours.dim(visible(`compared with ${baseline}, not with what was recorded`))]),
    ...(left.length === 0 ? [] : [colours.yellow(`not decided again: ${left.join(', ')}`)]),
    ...caveats(report).map((line) => colours.yellow(visible(line))),
    ...(ungrouped === 0 ? [] : [colours.yellow(`${ungrouped} more would change, in groups beyond those kept`)]),
  ];
  return lines.join('\n');
}

/** What has to be known of the log before its answer is relied on. */
function caveats(report: Report): string[] {
  const { gaps, missing, leftOut, sampled, sampledFrom, baselineDiffers, otherReason, repeated } = report;
  return [
    ...(gaps === 0
      ? []
      : [`not in the log: ${count(missing, 'record')}, which ${count(gaps, 'gap record')} stand for`]),
    ...leftOut.map((rule) => `not every decision is in the log, by how it was kept: ${rule}`),
    ...(sampled === 0 ? [] : [`${sampled} were sampled, and stand for about ${Math.round(sampledFrom)} decisions`]),
    ...(baselineDiffers === 0 ? [] : [`${baselineDiffers} were recorded otherwise than the baseline says`]),
    ...(otherReason === 0 ? [] : [`${otherReason} keep their answer, for another reason`]),
    ...(repeated === 0 ? [] : [`${count(repeated, 'record')} came more than once, and counted once`]),
  ];
}

/** One group, of several lines. */
export function describeGroup(group: Group, colours: Colours): string {
  const { direction, count: n, subjects, objects, examples, common } = group;
  const paint =
    direction === 'newly_allowed' ? colours.green : direction === 'newly_denied' ? colours.red : colours.yellow;
  const who = `${countOf(subjects, 'subject')}${objects.count === 0 ? '' : ` on ${countOf(objects, 'object')}`}`;
  const head = `${paint(colours.bold(words[direction]))} ${colours.bold(n)}: ${visible(describeCommon(common))} (${who})`;
  const [first] = examples;
  const causes = common.reasonBefore === undefined || first === undefined ? [] : causesOf(group, first);
  const shown = examples.map((example) => describeExample(example, causes.length === 0));
  const lines = [...causes, ...shown.map((line, i) => `  ${i === 0 ? 'e.g.' : '    '} ${line}`)];
  return [head, ...lines.map(visible)].join('\n');
}

/** "read on doc", "subject user:alice". */
function describeCommon(common: Group['common']): string {
  if (common.reasonBefore === undefined) {
    return Object.entries(common)
      .map(([name, value]) => `${name} ${value === '' ? '(none)' : value}`)
      .join(', ');
  }
  return `${common.action} ${common.type === '' ? 'on the tenant' : `on ${common.type}`}`;
}

function causesOf(group: Group, first: Example): string[] {
  return [
    `  was  ${describeOutcome(first.before, group.bindingsBefore)}`,
    `  now  ${describeOutcome(first.after, group.bindingsAfter)}`,
  ];
}

/** "ALLOWED by group:eng viewer on folder:plans, and 2 more bindings". */
function describeOutcome({ reason, message }: Outcome, bindings?: Distinct): string {
  if (message !== '') return `${reason}: ${message}`;
  const named = bindings?.some(mostBindings).map(describeBinding) ?? [];
  if (named.length === 0) return reason === 'NO_ROLE' ? 'NO_ROLE: no binding reaches it' : reason;
  const more = (bindings?.count ?? 0) - named.length;
  const isClosest = reason === 'ROLE_LACKS_PERMISSION' || reason === 'CONDITION_NOT_MET';
  const rest = more === 0 && bindings?.isExact === true ? '' : `, and ${atLeast(bindings, more)} more`;
  return `${reason}${isClosest ? ', closest is' : ' by'} ${named.join(', ')}${rest}`;
}

function describeExample({ subject, action, object, before, after, time, decision, count: n }: Example, why: boolean) {
  const asked = [subject, action, object].filter((part) => part !== '').join(' ');
  const times = n === 1 ? time : `${n} times, last ${time}`;
  return `${asked}, ${times}, ${decision}${why ? ` (${shortOf(before)}, now ${shortOf(after)})` : ''}`;
}

function shortOf({ reason, binding }: Outcome): string {
  return binding === '' ? reason : `${reason}: ${describeBinding(binding)}`;
}

/** One changed decision as a line: `2026-06-01T12:00:00.000Z newly denied user:alice read doc:42  ALLOWED: ..., now NO_ROLE (01J...)`. */
export function describeChanged({ record, direction, before, after }: ChangedDecision, colours: Colours): string {
  const { time, subject = '', action, object = '', id } = record;
  const asked = [subject, action, object].filter((part) => part !== '').join(' ');
  const line = `${words[direction]} ${asked}  ${shortOf(before)}, now ${shortOf(after)} (${id})`;
  return `${colours.dim(time)} ${visible(line)}`;
}

function shareOf(part: number, whole: number): string {
  const share = (100 * part) / whole;
  return ` (${share >= 10 ? share.toFixed(0) : share >= 0.1 ? share.toFixed(1) : 'less than 0.1'} %)`;
}

function countOf(distinct: Distinct, noun: string): string {
  return `${distinct.isExact ? '' : 'at least '}${count(distinct.count, noun)}`;
}

function atLeast(distinct: Distinct | undefined, n: number): string {
  return `${distinct?.isExact === false ? 'at least ' : ''}${n}`;
}
