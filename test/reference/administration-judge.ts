/**
 * The judge of administration: a second opinion on one accepted commit, from the records before and after alone. It
 * knows the rules as docs/administration.md states them, asks the plain evaluator, and must never import from
 * src/admin more than the shapes of requests.
 */
import type { RequestedChange } from '../../src/admin/api.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { type Gain, gainsOf, unentitledGains } from './administration-gains.ts';
import { unmetNeeds } from './administration-needs.ts';
import { brokenRules } from './administration-rules.ts';
import { differencesBetween, type Step } from './administration-step.ts';
import { type Table, tableOf } from './administration-table.ts';

export interface Judgement {
  /** Everything that should not have been, in words. */
  readonly problems: readonly string[];
  readonly gains: readonly Gain[];
}

/** The answers about a graph, kept while it is the graph of a step before or after another. */
const tables = new WeakMap<readonly EntityRecord[], Table>();
function tableFor(records: readonly EntityRecord[]): Table {
  const table = tables.get(records) ?? tableOf(records);
  tables.set(records, table);
  return table;
}

export function judge(step: Step): Judgement {
  const [before, after] = [tableFor(step.before), tableFor(step.after)];
  const gains = gainsOf(before, after, step.now);
  const problems = [
    ...unmetNeeds(step).map((problem) => `${step.acting}: ${problem}`),
    ...unentitledGains(step, before, after, gains),
    ...brokenRules(step),
  ];
  return { problems, gains };
}

/** One line a change, for people. */
export function describeRequest(changes: readonly RequestedChange[]): string {
  return changes.map(describeChange).join('\n    ');
}

function describeChange(change: RequestedChange): string {
  switch (change.op) {
    case 'put':
      return `put ${describeRecord(change.record)}`;
    case 'delete':
      return `delete ${change.kind} ${change.key}`;
    default:
      return JSON.stringify(change);
  }
}

export function describeRecord(record: EntityRecord): string {
  return JSON.stringify(record);
}

export function describeDifferences(before: readonly EntityRecord[], after: readonly EntityRecord[]): string {
  return differencesBetween(before, after)
    .map(({ kind, key, before: was, after: is }) =>
      is === undefined ? `- ${kind} ${key}` : was === undefined ? `+ ${describeRecord(is)}` : `~ ${describeRecord(is)}`,
    )
    .join('\n      ');
}
