/**
 * Plays a random history and has every commit judged: those that were accepted by the judge, those that were refused
 * by what must not have changed. Ends with an error that tells the history as a list.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CommitResult, RequestedChange } from '../../src/admin/api.ts';
import type { ChangeSet } from '../../src/model/change.ts';
import { type EntityRecord, entityKey } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Gain } from './administration-gains.ts';
import { firstRoles } from './administration-graphs.ts';
import type { PlannedCommit } from './administration-histories.ts';
import { describeDifferences, describeRecord, describeRequest, judge } from './administration-judge.ts';
import { holdsEverything } from './administration-rules.ts';
import { createdNames, differencesBetween, identityOf as keyOf, nameOf, type Step } from './administration-step.ts';
import { cells } from './administration-universe.ts';
import { createWorld, identityOf, outcomeOf, requestOf, type World } from './administration-world.ts';
import { applyPlainly } from './arbitraries.ts';

/** What a commit was, and what became of it: for counting. */
export interface Played {
  readonly kinds: readonly string[];
  /** "accepted", or the code of the refusal. */
  readonly outcome: string;
  readonly gains: number;
}

/** @throws Error telling the history and what is wrong with its last commit */
export async function play(
  firstGraph: readonly EntityRecord[],
  commits: readonly PlannedCommit[],
): Promise<readonly Played[]> {
  const told = [
    `an operator writes the usual roles, and\n    ${unusual(firstGraph).map(describeRecord).join('\n    ')}`,
  ];
  const world = await createWorld(firstGraph);
  try {
    const played: Played[] = [];
    const states = [await world.read()];
    for (const commit of commits) {
      world.wait(commit.waitMs);
      const before = states.at(-1) as (typeof states)[number];
      const requested = distinct(commit.deeds.flatMap((deed) => deed(before.records, actingOf(commit))));
      if (requested.length === 0) continue;
      const { outcome, after, gains, problems } = await playOne(world, commit, requested, before);
      told.push(tell(commit, world.now(), requested, outcome, before.records, after.records));
      if (problems.length > 0) throw failure(told, problems);
      const name = outcome instanceof PosternError ? outcome.code : 'accepted';
      played.push({ kinds: requested.map(kindOf), outcome: name, gains });
      if (after.revision !== before.revision) states.push(after);
    }
    const problems = problemsOfHistory(await world.history(), states);
    if (problems.length > 0) throw failure(told, problems);
    return played;
  } finally {
    await world.close();
  }
}

function actingOf({ caller, onBehalfOf }: PlannedCommit): string {
  return onBehalfOf === '' ? caller : onBehalfOf;
}

function distinct(changes: readonly RequestedChange[]): readonly RequestedChange[] {
  return changes.filter((change, i) => !changes.slice(0, i).some((earlier) => isDeepStrictEqual(earlier, change)));
}

function unusual(records: readonly EntityRecord[]): readonly EntityRecord[] {
  return records.filter((record) => !firstRoles.some((role) => role === record));
}

type State = Awaited<ReturnType<World['read']>>;

async function playOne(world: World, commit: PlannedCommit, requested: readonly RequestedChange[], before: State) {
  const { caller, onBehalfOf } = commit;
  const identity = identityOf(caller);
  const ask = (dryRun: boolean) =>
    outcomeOf(async () => world.administration.commit(identity, requestOf(requested, { onBehalfOf, dryRun })));
  const tried = await ask(true);
  const untouched = await world.read();
  const outcome = await ask(false);
  const after = await world.read();
  const problems: string[] = [];
  if (!isDeepStrictEqual(untouched, before)) problems.push('a dry run wrote something');
  if (!isDeepStrictEqual(verdictOf(tried), verdictOf(outcome))) {
    problems.push(`the dry run said ${describeOutcome(tried)}, the commit ${describeOutcome(outcome)}`);
  }
  const acting = actingOf(commit);
  if (outcome instanceof PosternError) {
    if (!isDeepStrictEqual(after, before)) problems.push('a refused commit changed something');
    const mayAll =
      onBehalfOf === '' && holdsEverything(before.records, caller) && isOrdinary(requested, before.records);
    if (outcome.code === 'NOT_PERMITTED' && mayAll) problems.push(`${caller} holds everything, and was refused`);
    return { outcome, after, gains: 0, problems };
  }
  const step: Step = { before: before.records, after: after.records, requested, caller, acting, now: world.now() };
  const judgement = judge(step);
  problems.push(...judgement.problems, ...problemsOfResult(outcome, step, widens(step, judgement.gains)));
  return { outcome, after, gains: judgement.gains.length, problems };
}

/** What a dry run and the commit after it must agree on. */
function verdictOf(outcome: CommitResult | PosternError): unknown {
  return outcome instanceof PosternError ? [outcome.code, outcome.message] : outcome.changes;
}

/** Whether nothing in a request touches what is an operator's alone. */
function isOrdinary(requested: readonly RequestedChange[], records: readonly EntityRecord[]): boolean {
  const special = [...records, ...requested.flatMap((change) => (change.op === 'put' ? [change.record] : []))];
  const keys = new Set(
    special.flatMap((record) => {
      const isSpecial =
        (record.kind === 'binding' && record.locked === true) ||
        (record.kind === 'role' && record.system === true) ||
        (record.kind === 'hook' && record.grants.some((grant) => 'role' in grant && grant.locked === true));
      return isSpecial ? [keyOf(record.kind, entityKey(record))] : [];
    }),
  );
  const anyLocked = [...keys].some((key) => key.startsWith('["binding"'));
  return requested.every((change) => {
    if (change.op === 'put') {
      const { record } = change;
      const group = record.kind === 'member' ? record.group : undefined;
      const isThere = group === undefined || records.some((other) => other.kind === 'group' && other.group === group);
      // What is not there is created, and not put.
      const isNew =
        (record.kind === 'object' || record.kind === 'group') &&
        !records.some((other) => nameOf(other).includes(entityKey(record)));
      return isThere && !isNew && !keys.has(keyOf(record.kind, entityKey(record)));
    }
    // Objects and groups go with all that is theirs, by a removal alone.
    if (change.op === 'delete' && (change.kind === 'object' || change.kind === 'group')) return false;
    if (change.op === 'delete') return !keys.has(keyOf(change.kind, change.key));
    return change.op === 'create' || !anyLocked;
  });
}

/** Whether somebody gained something on what was there before. */
function widens(step: Step, gains: readonly Gain[]): boolean {
  const created = createdNames(step);
  return gains.some(({ cell }) => !created.includes(cells[cell]?.object ?? ''));
}

/** The result leads from the records before to those after, step by step, and says where access widened. */
function problemsOfResult(result: CommitResult, { before, after }: Step, widened: boolean): readonly string[] {
  const problems: string[] = [];
  const first = new Map(before.map((record) => [keyOf(record.kind, entityKey(record)), record]));
  const now = new Map(first);
  for (const { before: was, after: is } of result.changes) {
    const record = is ?? was;
    if (record === undefined) continue;
    const key = keyOf(record.kind, entityKey(record));
    if (![now.get(key), first.get(key)].some((known) => isDeepStrictEqual(known, was)))
      problems.push(`the result is wrong on what ${key} was`);
    if (is === undefined) now.delete(key);
    else now.set(key, is);
  }
  if (differencesBetween([...now.values()], after).length > 0) problems.push('the result is not what was done');
  if (widened && !result.changes.some(({ widens }) => widens))
    problems.push('access widened, and the result denies it');
  return problems;
}

function problemsOfHistory(history: readonly ChangeSet[], states: readonly State[]): readonly string[] {
  const problems: string[] = [];
  if (history.length !== states.length) problems.push(`${history.length} change sets made ${states.length} graphs`);
  let records: readonly EntityRecord[] = [];
  for (const [i, changeSet] of history.entries()) {
    const byKey = new Map(records.map((record) => [keyOf(record.kind, entityKey(record)), record]));
    const seen = new Set<string>();
    for (const change of changeSet.changes) {
      const key =
        change.op === 'put' ? keyOf(change.record.kind, entityKey(change.record)) : keyOf(change.kind, change.key);
      // Of one that is changed twice, what it was in between may be told, or what it was at first.
      const isKnown = seen.has(key) || isDeepStrictEqual(change.before, byKey.get(key));
      seen.add(key);
      if (!isKnown) problems.push(`history is wrong on ${key} at ${i + 1}`);
    }
    records = applyPlainly(records, changeSet.changes);
    if (differencesBetween(records, states[i]?.records ?? []).length > 0)
      problems.push(`history leaves the graph at ${i + 1}`);
  }
  return problems;
}

export function kindOf(change: RequestedChange): string {
  if (change.op === 'put') return `put ${change.record.kind}`;
  return change.op === 'delete' ? `delete ${change.kind}` : change.op;
}

function describeOutcome(outcome: CommitResult | PosternError): string {
  return outcome instanceof PosternError ? describeRefusal(outcome) : 'yes';
}

function describeRefusal({ code, message, problems }: PosternError): string {
  return [`${code}: ${message}`, ...problems.map(({ field, message: text }) => `${field}: ${text}`)].join('\n      ');
}

function tell(
  { caller, onBehalfOf }: PlannedCommit,
  now: number,
  requested: readonly RequestedChange[],
  outcome: CommitResult | PosternError,
  before: readonly EntityRecord[],
  after: readonly EntityRecord[],
): string {
  const who = onBehalfOf === '' ? caller : `${caller} for ${onBehalfOf}`;
  const asked = `${who} asks, at ${new Date(now).toISOString()}\n    ${describeRequest(requested)}`;
  if (outcome instanceof PosternError) return `${asked}\n  and is refused: ${describeRefusal(outcome)}`;
  return `${asked}\n  and it is done:\n      ${describeDifferences(before, after)}`;
}

function failure(told: readonly string[], problems: readonly string[]): Error {
  const some = problems.slice(0, 12).join('\n  ');
  return new Error(`${told.map((text, i) => `${i}. ${text}`).join('\n')}\nWrong with the last:\n  ${some}`);
}
