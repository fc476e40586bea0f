// Clocks that step back, while a process runs and between two: numbers, chain and seals go on, and ids within a process
// still go up.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import { checkChain } from '../chain-check.ts';
import { createMemorySink, decisionEntry } from '../entries.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-clock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const hourMs = 3_600_000;
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

test('a clock that steps back changes no number, breaks no chain and stops no seal', async () => {
  const sink = createMemorySink();
  let clockMs = Date.parse('2026-11-28T12:00:00Z');
  const open = async () => {
    const log = await openLog({
      mode: 'spool',
      instance: 'i-1',
      sink,
      spool: { directory, bytes: 2 ** 30, sync: false },
      intervalMs: 1,
      sealIntervalMs: 5,
      now: () => clockMs,
    });
    const nextId = createIds();
    const append = (count: number) => {
      for (let i = 0; i < count; i++) log.append(decisionEntry({ id: nextId(clockMs), time: clockMs }));
    };
    return { log, append };
  };
  const seals = () => checkChain(sink.lines).kinds.filter((kind) => kind === 'seal').length;
  const first = await open();
  first.append(100);
  await first.log.flush(10_000);
  clockMs -= hourMs;
  first.append(100);
  await first.log.flush(10_000);
  const before = seals();
  await vi.waitFor(() => expect(seals()).toBeGreaterThan(before));
  clockMs += hourMs + 1;
  first.append(100);
  await first.log.close(10_000);
  const { records } = checkChain(sink.lines);
  const ids = records.filter(({ type }) => type === undefined).map(({ id }) => id as string);
  expect(ids).toEqual([...new Set(ids)].sort());

  clockMs -= 24 * hourMs;
  const second = await open();
  second.append(100);
  await second.log.close(10_000);
  expect(checkChain(sink.lines).numbers).toEqual(upTo(400));
});

test('without a spool, too, it stops no seal', async () => {
  const sink = createMemorySink();
  let clockMs = Date.parse('2026-11-28T12:00:00Z');
  const options = { mode: 'drop-newest', instance: 'i-1', sink, intervalMs: 1, sealIntervalMs: 5 } as const;
  const log = await openLog({ ...options, now: () => clockMs });
  log.append(decisionEntry({ time: clockMs }));
  await log.flush(10_000);
  clockMs -= hourMs;
  log.append(decisionEntry({ time: clockMs }));
  await log.flush(10_000);
  await vi.waitFor(() => expect(checkChain(sink.lines).kinds).toContain('seal'));
  await log.close(10_000);
});
