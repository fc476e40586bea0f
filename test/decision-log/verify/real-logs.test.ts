// What the log itself writes is in order, whatever its sink does to it, and however its process ends.
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIds } from '../../../src/decision-log/ids.ts';
import { type OpenLogOptions, openLog } from '../../../src/decision-log/open-log.ts';
import type { Batch, Refused, Sink } from '../../../src/decision-log/sink.ts';
import { createDirectLog, decisionEntry, linesOf } from '../entries.ts';
import { verify } from './chain-writer.ts';

let directory = '';
let spools = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-verify-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const nextId = createIds();
const numRuns = Number(process.env.POSTERN_VERIFY_RUNS ?? 25);

/** How the next writes fail: `parts`: some parts of the batch are written, and then all of it is, at the next attempt. */
type Fault = 'none' | 'away' | 'parts';

/** Keeps lines as a stream does, and fails as it is told. Refuses every record about a document of which the number ends with `poison`. */
function createFaultySink(faults: Fault[], poison: string) {
  const lines: string[] = [];
  const isRefused = (line: string) => poison !== '' && line.includes(`"object":"doc:${poison}`);
  const sink: Sink & { readonly lines: string[]; isDead: boolean } = {
    description: 'faulty',
    lines,
    isDead: false,
    async write({ parts }: Batch): Promise<Refused> {
      if (sink.isDead) return new Promise(() => {});
      const fault = faults.shift() ?? 'none';
      if (fault === 'away') throw new Error('away');
      const kept = parts.map((part) => linesOf([part]).filter((line) => !isRefused(line)));
      if (fault === 'parts') {
        for (const [i, part] of kept.entries()) if (i % 2 === 1) lines.push(...part);
        throw new Error('a part failed');
      }
      lines.push(...kept.flat());
      return linesOf(parts).flatMap((line, i) => (isRefused(line) ? [i] : []));
    },
    async close() {},
  };
  return sink;
}

function appendTo(log: { append(entry: ReturnType<typeof decisionEntry>): void }, count: number) {
  for (let i = 0; i < count; i++) log.append(decisionEntry({ id: nextId(Date.now()), object: `doc:${i % 10}` }));
}

const faults = fc.array(fc.constantFrom<Fault>('none', 'none', 'away', 'parts'), { maxLength: 12 });
const poisons = fc.constantFrom('', '', '7', '0');

test('without a spool', async () => {
  await fc.assert(
    fc.asyncProperty(
      faults,
      poisons,
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
      async (some, poison, counts) => {
        const sink = createFaultySink([...some], poison);
        const log = createDirectLog(sink);
        for (const count of counts) {
          appendTo(log, count);
          await log.flush(10_000);
        }
        await log.close(10_000);
        const total = counts.reduce((sum, count) => sum + count, 0);
        const report = verify(sink.lines.map((line) => line.trimEnd()));
        expect(report.problems).toEqual([]);
        const [chain] = report.chains;
        expect(chain).toMatchObject({ begins: 'start', ends: 'stop', lastSeq: total, crashes: 0 });
        expect((chain?.decisions ?? 0) + (chain?.gaps.refused ?? 0)).toBe(total);
      },
    ),
    { numRuns },
  );
});

test('with a spool, through crashes and orderly ends', async () => {
  const ends = fc.array(fc.constantFrom('crash', 'stop'), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(faults, poisons, ends, fc.integer({ min: 1, max: 700 }), async (some, poison, how, count) => {
      let spool = join(directory, String(spools++));
      const written: string[] = [];
      let total = 0;
      for (const end of how) {
        const sink = createFaultySink([...some], poison);
        const log = await openLog(spoolOptions(sink, spool));
        appendTo(log, count);
        total += count;
        await log.flush(10_000);
        if (end === 'crash') {
          // What is on disk at this moment is what a process that is killed leaves.
          sink.isDead = true;
          const left = join(directory, String(spools++));
          // How far the sink is comes first: a copy must not say more than what is copied behind it.
          await cp(spool, left, { recursive: true, filter: (path) => !path.endsWith('.ndjson') });
          await cp(spool, left, { recursive: true, filter: (path) => !path.endsWith('shipped.json') });
          spool = left;
        }
        await log.close(end === 'crash' ? 1 : 10_000);
        written.push(...sink.lines);
      }
      const sink = createFaultySink([], poison);
      const last = await openLog(spoolOptions(sink, spool));
      await last.close(10_000);
      const report = verify([...written, ...sink.lines].map((line) => line.trimEnd()));
      expect(report.problems).toEqual([]);
      const [chain] = report.chains;
      expect(chain).toMatchObject({ begins: 'start', lastSeq: total });
      expect((chain?.decisions ?? 0) + (chain?.gaps.refused ?? 0)).toBe(total);
    }),
    { numRuns: Math.min(numRuns, 60) },
  );
});

function spoolOptions(sink: Sink, spool: string): OpenLogOptions {
  return {
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory: spool, bytes: 2 ** 30, sync: false },
    intervalMs: 1,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: () => {},
  };
}
