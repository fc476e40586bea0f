/** What a replay found, for machines: the names are stable. Called by `postern replay --json`. */
import type { Outcome } from '../impact/decide-again.ts';
import type { Report } from '../impact/replay.ts';
import { type ChangedDecision, type Group, totalOf } from '../impact/tally.ts';
import type { Compared } from './impact-text.ts';

/** The whole report: all groups, with some decisions of each as examples. */
export function reportToJson(report: Report, { proposed, baseline }: Compared) {
  const { groups, changed, ...counts } = report;
  return {
    proposed,
    ...(baseline === undefined ? {} : { baseline }),
    ...counts,
    changed: totalOf(changed),
    newlyDenied: changed.newly_denied,
    newlyAllowed: changed.newly_allowed,
    newlyFailing: changed.newly_failing,
    groups: groups.map(groupToJson),
  };
}

function groupToJson({ direction, common, subjects, objects, examples, first, last, ...group }: Group) {
  return {
    direction,
    ...common,
    count: group.count,
    subjects: subjects.count,
    objects: objects.count,
    // Beyond some ten thousand, or where there are many groups, they are not all counted.
    exact: subjects.isExact && objects.isExact,
    first,
    last,
    examples: examples.map(({ before, after, ...example }) => ({
      ...example,
      before: outcomeToJson(before),
      after: outcomeToJson(after),
    })),
  };
}

/** One line of --each. */
export function changedToJson({ record, direction, before, after }: ChangedDecision) {
  const { id, time, subject, action, object } = record;
  return {
    direction,
    decision: id,
    time,
    subject,
    action,
    ...(object === undefined ? {} : { object }),
    before: outcomeToJson(before),
    after: outcomeToJson(after),
  };
}

function outcomeToJson({ answer, reason, binding, message }: Outcome) {
  return {
    answer,
    reason,
    ...(binding === '' ? {} : { binding: JSON.parse(binding) as unknown }),
    ...(message === '' ? {} : { message }),
  };
}
