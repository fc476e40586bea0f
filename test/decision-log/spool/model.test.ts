// What was on disk when it was promised is in the log, each number once and every loss told, whatever disk and sink do,
// whenever the process dies, and in whatever order records, files and what is noted of them follow each other.
import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { BufferedDecisionLog } from '../../../src/decision-log/buffered-log.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import type { Batch, Refused, Sink } from '../../../src/decision-log/sink.ts';
import { createFaultyDisk, type DiskFault, type FaultyDisk } from '../../setup/faulty-disk.ts';
import { decisionEntry, linesOf } from '../entries.ts';
import { verify } from '../verify/chain-writer.ts';

let directory = '';
let disk: FaultyDisk;
let spools = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-model-'));
  disk = await createFaultyDisk(directory);
});
afterAll(async () => {
  disk.restore();
  await remove(directory);
});
afterEach(() => {
  vi.useRealTimers();
});

/** A log that is closed may still be noting something there: nobody waits for a slow disk. */
const remove = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
const nextId = createIds();
/** More take longer than all other tests of the spool. */
const numRuns = Number(process.env.POSTERN_SPOOL_RUNS ?? 50);

type Step =
  | { readonly do: 'append'; readonly tenant: string; readonly count: number; readonly kilobytes: number }
  | { readonly do: 'sink'; readonly is: 'there' | 'away' | 'silent' }
  | { readonly do: 'refuse'; readonly count: number }
  | { readonly do: 'disk'; readonly isFull: boolean }
  | { readonly do: 'faults'; readonly faults: readonly DiskFault[] }
  | { readonly do: 'turns'; readonly count: number }
  | { readonly do: 'tick' }
  | { readonly do: 'flush' }
  | { readonly do: 'crash' }
  | { readonly do: 'restart'; readonly deadlineMs: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('append' as const),
        tenant: fc.constantFrom('default', 'default', 'other'),
        count: fc.integer({ min: 1, max: 30 }),
        kilobytes: fc.constantFrom(0, 0, 100, 400),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('sink' as const),
        is: fc.constantFrom('there' as const, 'away' as const, 'silent' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), count: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('disk' as const), isFull: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('faults' as const),
        faults: fc.array(fc.constantFrom<DiskFault>('none', 'none', 'refused', 'part'), { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('restart' as const), deadlineMs: fc.constantFrom(0, 5, 2_000) }),
    },
  ),
  { minLength: 3, maxLength: 40 },
);

/** The log as its process, its sink and its crashes leave it. */
class Model {
  readonly lines: string[] = [];
  /** Of which the log has said that they are safe. */
  readonly safe = new Set<string>();
  /** Those that the sink refused, by id. */
  readonly refused = new Map<string, { readonly tenant: string; readonly seq: number }>();
  readonly #interval: number;
  readonly #sync: boolean;
  readonly #bytes: number;
  #spool = join(directory, String(spools++));
  #life = 0;
  #sink: 'there' | 'away' | 'silent' = 'there';
  #refusals = 0;
  #log: BufferedDecisionLog | undefined;
  #appended: string[] = [];

  constructor(interval: number, sync: boolean, bytes: number) {
    this.#interval = interval;
    this.#sync = sync;
    this.#bytes = bytes;
  }

  async open(): Promise<void> {
    disk.isFull = false;
    disk.faults.splice(0);
    this.#appended = [];
    this.#log = await openLog({
      mode: 'spool',
      instance: 'i-1',
      sink: this.#createSink(),
      spool: { directory: this.#spool, bytes: this.#bytes, sync: this.#sync },
      tenants: ['default'],
      intervalMs: this.#interval,
      batchRecords: 10,
      retryMinMs: 1,
      retryMaxMs: 2,
      onEvent: () => {},
    });
  }

  async run(step: Step): Promise<void> {
    const log = this.#log as BufferedDecisionLog;
    switch (step.do) {
      case 'append':
        for (let i = 0; i < step.count; i++) {
          const id = nextId(Date.now());
          const { written } = log.stats();
          log.append(
            decisionEntry({
              id,
              tenant: step.tenant,
              ...(step.kilobytes === 0 ? {} : { attributes: { of: 'x'.repeat(step.kilobytes * 1024) } }),
            }),
          );
          this.#appended.push(id);
          if (log.stats().written > written) this.safe.add(id);
        }
        return;
      case 'sink':
        this.#sink = step.is;
        return;
      case 'refuse':
        this.#refusals = step.count;
        return;
      case 'disk':
        disk.isFull = step.isFull;
        return;
      case 'faults':
        disk.faults.push(...step.faults);
        return;
      case 'turns':
        for (let i = 0; i < step.count; i++) await nextTurn();
        return;
      case 'tick':
        vi.advanceTimersByTime(250);
        return;
      case 'flush':
        await log.flush(20);
        if (log.stats().pendingRecords === 0 && log.stats().dropped === 0)
          for (const id of this.#appended) this.safe.add(id);
        return;
      case 'crash':
        await this.crash();
        return;
      case 'restart':
        await this.close(step.deadlineMs);
        await this.open();
    }
  }

  async crash(): Promise<void> {
    const left = join(directory, String(spools++));
    cpSync(this.#spool, left, { recursive: true });
    this.#life++;
    const log = this.#log as BufferedDecisionLog;
    await log.close(0);
    disk.faults.splice(0);
    await remove(this.#spool);
    this.#spool = left;
    await this.open();
  }

  async close(deadlineMs: number): Promise<void> {
    const log = this.#log as BufferedDecisionLog;
    await log.close(deadlineMs);
  }

  async end(): Promise<void> {
    this.#sink = 'there';
    this.#refusals = 0;
    disk.isFull = false;
    disk.faults.splice(0);
    await this.close(10_000);
    await this.open();
    await this.close(10_000);
    await remove(this.#spool);
  }

  #createSink(): Sink {
    const life = this.#life;
    return {
      description: 'model',
      write: async ({ parts }: Batch): Promise<Refused> => {
        await nextTurn();
        if (life !== this.#life || this.#sink === 'silent') {
          while (life === this.#life && this.#sink === 'silent') await nextTurn();
          if (life !== this.#life) return new Promise(() => {});
        }
        if (this.#sink === 'away') throw new Error('away');
        const all = linesOf(parts);
        const refused: number[] = [];
        for (const [i, line] of all.entries()) {
          if (!line.startsWith('{"id"')) continue;
          const { id, tenant, seq } = JSON.parse(line) as { id: string; tenant: string; seq: number };
          // What is refused once is so for good.
          if (!this.refused.has(id) && this.#refusals-- <= 0) continue;
          this.refused.set(id, { tenant, seq });
          refused.push(i);
        }
        this.lines.push(...all.filter((_, i) => !refused.includes(i)));
        return refused;
      },
      close: async () => {},
    };
  }
}

test('every order of records, faults, crashes and ends leaves a log that verifies, and holds what was safe', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.constantFrom(0, 0, 1),
      fc.boolean(),
      fc.constantFrom(2 ** 30, 4 * 2 ** 20),
      fc.integer({ min: 0, max: 3 }),
      async (all, interval, sync, bytes, turns) => {
        vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
        disk.turns = turns;
        const model = new Model(interval, sync, bytes);
        await model.open();
        for (const step of all) await model.run(step);
        await model.end();
        const report = verify(model.lines.map((line) => line.trimEnd()));
        expect(report.problems).toEqual([]);
        const ids = new Set(model.lines.filter((line) => line.startsWith('{"id"')).map((line) => line.slice(7, 33)));
        expect([...model.safe].filter((id) => !ids.has(id) && !model.refused.has(id))).toEqual([]);
        const gaps = model.lines
          .filter((line) => line.startsWith('{"type":"gap"'))
          .map((line) => JSON.parse(line) as { tenant: string; first: number; last: number });
        const untold = [...model.refused].filter(
          ([, { tenant, seq }]) => !gaps.some((gap) => gap.tenant === tenant && gap.first <= seq && seq <= gap.last),
        );
        expect(untold).toEqual([]);
      },
    ),
    { numRuns },
  );
}, 120_000);
