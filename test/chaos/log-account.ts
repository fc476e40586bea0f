// The decision log of a sidecar that was killed again and again, held against what it answered: each answer is in it, as
// it was given; or it is one of the newest before a kill, and the log says that there was a crash.
import { type Account, timeOf } from '../integration/reading-back.ts';
import type { Noted } from './wire-questions.ts';

/** One process: from its start to its end. */
export interface Life {
  /** By decision id. */
  readonly answered: Map<string, Omit<Noted, 'id'>>;
  wasKilled: boolean;
}

export interface KeptLog {
  readonly account: Account;
  /** Whatever was answered until then may be gone, in milliseconds since 1970: where its sink was emptied. */
  readonly emptiedMs: number;
}

export type ReadLog = () => Promise<KeptLog>;

/** What is wrong with it, in words. */
export async function problemsOfLog(lives: readonly Life[], read: ReadLog): Promise<string[]> {
  const { account, emptiedMs } = await read();
  const problems = account.report.problems.map((problem) => `its log: ${JSON.stringify(problem)}`);
  if (account.gaps.size > 0) problems.push(`its log has gaps: ${[...account.gaps.keys()]}`);
  const numbers = account.numbers.length;
  if (numbers > 0 && account.numbers[numbers - 1] !== (account.numbers[0] ?? 0) + numbers - 1)
    problems.push('its log lacks numbers');
  const places = new Map(account.records.map((record, i) => [record.id, i]));
  let lost = 0;
  for (const [i, { answered, wasKilled }] of lives.entries()) {
    const ids = [...answered.keys()].sort();
    const missing = ids.filter((id) => !places.has(id) && timeOf(id) > emptiedMs);
    const last = ids.findLast((id) => places.has(id));
    lost += missing.length;
    if (missing.length > 0) {
      const who = `life ${i + 1} of ${lives.length} `;
      if (!wasKilled) problems.push(`${who}ended in order and lost ${missing.length} records`);
      if (last !== undefined && missing.some((id) => id < last)) problems.push(`${who}lost records older than ${last}`);
      if (last !== undefined && !tellsOfCrash(account, places.get(last) ?? 0, lives.slice(i + 1)))
        problems.push(`${who}lost ${missing.length} records, and its log tells of no crash`);
    }
    for (const [id, { revision, allowed, reason }] of answered) {
      const record = account.records[places.get(id) ?? -1];
      if (record === undefined) continue;
      if (record.revision !== revision || record.allowed !== allowed || record.reason !== reason)
        problems.push(`${id} was ${revision}, ${allowed}, ${reason}, and is logged as ${JSON.stringify(record)}`);
    }
  }
  const total = lives.reduce((sum, { answered }) => sum + answered.size, 0);
  console.info(
    `chaos: ${lives.length} lives, ${lost} of ${total} decisions lost; ${account.repeated} lines came twice`,
  );
  return problems;
}

/** The next process that has anything to log begins with that. */
function tellsOfCrash({ records }: Account, from: number, later: readonly Life[]): boolean {
  const next = records.slice(from).find(({ type }) => type === 'start');
  return next === undefined ? later.every(({ answered }) => answered.size === 0) : next.after === 'crash';
}
