// What can be read of a decision log afterwards, each record once, and what the verification says of it: counted against
// the answers that were noted. Called by tests of crashes and outages.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogVerifier } from '../../src/decision-log/verify/log-verifier.ts';
import type { Report } from '../../src/decision-log/verify/report.ts';
import { SealKeys } from '../../src/decision-log/verify/seals.ts';
import { asAdmin } from '../setup/redis-admin.ts';

/** A line as it was written, or one of the few keys that tests look at. */
export type Line = Readonly<Record<string, unknown>>;

export interface Account {
  /** Decisions, by number. */
  readonly numbers: readonly number[];
  /** Numbers that gap records account for, by cause. */
  readonly gaps: ReadonlyMap<string, readonly number[]>;
  /** All lines, each once, in the order in which they were first read. */
  readonly records: readonly Line[];
  readonly starts: readonly Line[];
  /** Lines that came again, and lines that are no whole records. */
  readonly repeated: number;
  readonly torn: number;
  readonly report: Report;
  /** Ids that were answered and cannot be read. */
  missingOf(answered: readonly string[]): string[];
  /** How many numbers have a record or a gap; throws where one has both, or two. */
  accountedNumbers(): number;
}

/** Of one tenant's files, rotated ones first. */
export async function readFiles(directory: string, tenant = 'default'): Promise<Account> {
  const names = (await readdir(join(directory, tenant))).sort(byRotation);
  const texts = await Promise.all(names.map((name) => readFile(join(directory, tenant, name), 'utf8')));
  return account(texts.join('').split('\n').slice(0, -1));
}

export async function readStream(url: string, tenant = 'default'): Promise<Account> {
  const entries = await asAdmin(url, (redis) => redis.xrange(`postern:{${tenant}}:decisions`, '-', '+'));
  return account(entries.map(([, fields]) => fields[1] as string));
}

export function account(lines: readonly string[]): Account {
  const verifier = new LogVerifier({ keys: new SealKeys([]) });
  verifier.addLines('log', Buffer.from(lines.map((line) => `${line}\n`).join('')), 0);
  verifier.endSeries();
  const parsed = lines.map(parse).filter((record) => record !== undefined);
  const records = [...new Map(parsed.map((record) => [record.hash, record])).values()];
  const decisions = records.filter(({ type }) => type === undefined);
  const ids = new Set(decisions.map(({ id }) => id));
  const numbers = decisions.map(({ seq }) => seq as number).sort((a, b) => a - b);
  const gaps = new Map<string, number[]>();
  for (const { type, cause, first, last } of records) {
    if (type !== 'gap') continue;
    const list = gaps.get(cause as string) ?? [];
    gaps.set(cause as string, list);
    for (let n = first as number; n <= (last as number); n++) list.push(n);
  }
  return {
    numbers,
    gaps,
    records,
    starts: records.filter(({ type }) => type === 'start'),
    repeated: parsed.length - records.length,
    torn: lines.length - parsed.length,
    report: verifier.finish(),
    missingOf: (answered) => answered.filter((id) => !ids.has(id)),
    accountedNumbers() {
      const all = [...numbers, ...[...gaps.values()].flat()];
      const { size } = new Set(all);
      if (size !== all.length) throw new Error(`${all.length - size} numbers stand for two records`);
      return size;
    },
  };
}

function byRotation(a: string, b: string): number {
  const numberOf = (name: string) => Number(/\.(\d{6,})\.ndjson$/.exec(name)?.[1] ?? Number.MAX_SAFE_INTEGER);
  return numberOf(a) - numberOf(b);
}

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return undefined;
  }
}

/** When a decision id was given, in milliseconds since 1970. */
export function timeOf(id: string): number {
  let ms = 0;
  for (const character of id.slice(0, 10)) ms = ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(character);
  return ms;
}

export const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
