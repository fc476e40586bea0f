// Logs on disk for tests of reading: lines of one instance, and a directory that goes away with the test.
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { FoundLine } from '../../../src/decision-log/query/selection.ts';
import { decisionEntry, someTime } from '../entries.ts';

/** Chained lines as an instance writes them; `seq` counts from 1, and each is a millisecond later than the one before. */
export function decisionLine(instance: string, seq: number, fields: Readonly<Record<string, unknown>> = {}): string {
  const { subject, action, object, allowed, reason, revision, mode, source } = decisionEntry();
  const id = `01JABCDEFGHJKMNPQR${instance.toUpperCase().slice(0, 1)}${String(seq).padStart(7, '0')}`;
  const time = new Date(someTime + seq).toISOString();
  const common = { id, instance, seq, time, tenant: 'default', subject, action, object };
  return JSON.stringify({ ...common, allowed, reason, revision, mode, source, ...fields });
}

export function gapLine(instance: string, first: number, last: number): string {
  const time = new Date(someTime + last).toISOString();
  return JSON.stringify({ type: 'gap', instance, time, tenant: 'default', first, last, cause: 'buffer_full' });
}

export interface LogDirectory {
  /** As the file sink has it. */
  readonly path: string;
  fileOf(instance: string, number?: string): string;
  append(instance: string, lines: readonly string[], number?: string): Promise<void>;
}

/** Called once a file, outside of tests. */
export function useLogDirectory(tenant = 'default'): LogDirectory {
  let path = '';
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'postern-read-'));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));
  const fileOf = (instance: string, number?: string) =>
    join(path, tenant, `decisions-${instance}${number === undefined ? '' : `.${number}`}.ndjson`);
  return {
    get path() {
      return path;
    },
    fileOf,
    async append(instance, lines, number) {
      await mkdir(join(path, tenant), { recursive: true });
      await appendFile(fileOf(instance, number), lines.map((line) => `${line}\n`).join(''));
    },
  };
}

/** What was found: the numbers of decisions, the kinds of others, and `garbage`. */
export function numbersIn(found: readonly FoundLine[]): (string | number)[] {
  return found.map(({ record }) => {
    if (record === undefined) return 'garbage';
    return record.type === undefined ? record.seq : record.type;
  });
}
