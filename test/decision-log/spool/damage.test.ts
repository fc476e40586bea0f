// A spool whose files somebody changed or removed between two processes: the next one starts, delivers all that is there,
// gives no number twice that it can know of, and what is wrong shows to whoever reads.
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LogEvent } from '../../../src/decision-log/events.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import { openLog } from '../../../src/decision-log/open-log.ts';
import type { Batch, Refused, Sink } from '../../../src/decision-log/sink.ts';
import { checkChain } from '../chain-check.ts';
import { decisionEntry, linesOf } from '../entries.ts';
import { verify } from '../verify/chain-writer.ts';

const nextId = createIds();
const delivered = 60;
const waiting = 60;

let root = '';
/** What a process left that died: 60 decisions were delivered, 60 wait. */
let original = '';
/** What its sink has. */
let sunk: readonly string[] = [];
/** All lines that it wrote. */
let written: readonly string[] = [];

/** Takes what it gets, records or not, as a file does. */
function createSink() {
  const sink = {
    description: 'lines',
    lines: [] as string[],
    isGone: false,
    async write({ parts }: Batch): Promise<Refused> {
      if (sink.isGone) throw new Error('gone');
      sink.lines.push(...linesOf(parts));
      return [];
    },
    async close() {},
  };
  return sink;
}

async function open(directory: string, sink: Sink) {
  const events: LogEvent[] = [];
  const log = await openLog({
    mode: 'spool',
    instance: 'i-1',
    sink,
    spool: { directory, bytes: 2 ** 30, sync: false },
    intervalMs: 1,
    retryMinMs: 1,
    retryMaxMs: 2,
    onEvent: (event) => events.push(event),
  });
  const append = (count: number) => {
    for (let i = 0; i < count; i++) log.append(decisionEntry({ id: nextId(Date.now()) }));
  };
  return { log, events, append };
}

const segmentOf = (directory: string) => join(directory, 'default', '00000002.ndjson');
const cursorOf = (directory: string) => join(directory, 'default', 'shipped.json');

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'postern-damage-'));
  const first = join(root, 'first');
  original = join(root, 'original');
  const sink = createSink();
  const { log, append } = await open(first, sink);
  append(delivered);
  await log.flush(10_000);
  await vi.waitFor(async () => {
    expect(log.stats().delivered).toBe(delivered);
    expect(await readFile(cursorOf(first), 'utf8')).toContain(`"seq":${delivered}`);
  });
  sink.isGone = true;
  append(waiting);
  await log.flush(10_000);
  // As it is on disk when the process is killed now.
  await cp(first, original, { recursive: true });
  await log.close(0);
  sunk = [...sink.lines];
  written = (await readFile(segmentOf(original), 'utf8')).split('\n').slice(0, -1);
});
afterAll(() => rm(root, { recursive: true, force: true }));

let copies = 0;

/** A second process goes on with damaged files, and decides five times. */
async function goOn(damage: (directory: string) => Promise<void>) {
  const directory = join(root, `copy-${++copies}`);
  await cp(original, directory, { recursive: true });
  await damage(directory);
  const left = await readFile(segmentOf(directory), 'utf8').catch(() => '');
  const sink = createSink();
  const { log, append, events } = await open(directory, sink);
  append(5);
  await log.close(10_000);
  const lines = [...sunk, ...sink.lines].map((line) => line.trimEnd());
  const records = lines.flatMap((line) => (isJson(line) ? [JSON.parse(line) as Record<string, unknown>] : []));
  await rm(directory, { recursive: true, force: true });
  return {
    events: events.map(({ kind }) => kind),
    lines,
    starts: records.filter(({ type }) => type === 'start'),
    /** Numbers that two different decisions have. */
    twice: () => {
      const ids = new Map<unknown, unknown>();
      return records.filter(({ type, seq, id }) => {
        if (type !== undefined) return false;
        const other = ids.get(seq);
        ids.set(seq, id);
        return other !== undefined && other !== id;
      });
    },
    /** Lines that were left as they had been written, and cannot be read. */
    lost: written.filter((line) => left.includes(`${line}\n`) && !lines.includes(line)),
    /** What the verification finds, and at which number. */
    found: () => verify(lines).problems.map(({ kind, seq }) => `${kind} ${seq}`),
  };
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
/** The line before this one is the last that the sink has. */
const boundary = delivered + 1;

describe('a spool', () => {
  test('that nobody touched is gone on with, and nothing is said of damage', async () => {
    const { lines, events, starts } = await goOn(async () => {});
    expect(checkChain(lines).numbers).toEqual(upTo(delivered + waiting + 5));
    expect(events).toEqual(['crashed']);
    expect(starts.at(-1)).toMatchObject({ after: 'crash', lost_ms: 1 });
  });

  test.each([
    ['of a line that waits', boundary + 10],
    ['of a line that was delivered', 10],
  ])(
    'with one changed character %s delivers the others, and the chain is broken only where it matters',
    async (_, at) => {
      const { lost, twice, found, lines } = await goOn((directory) =>
        edit(segmentOf(directory), (text) => {
          const all = text.split('\n');
          all[at] = (all[at] as string).replace('user:alice', 'user:alicf');
          return all.join('\n');
        }),
      );
      expect([lost, twice()]).toEqual([[], []]);
      expect(found()).toEqual(at > boundary ? [`altered ${at}`] : []);
      expect(lines.some((line) => line.includes('user:alicf'))).toBe(at > boundary);
    },
  );

  test('whose last line was changed gives no number twice', async () => {
    const { lost, twice, found, events, starts } = await goOn((directory) =>
      edit(segmentOf(directory), (text) => text.replace(`"seq":${delivered + waiting},`, '"seq":11,')),
    );
    expect([lost, found()]).toEqual([[], ['altered 11']]);
    expect(events).toContain('spool_damaged');
    expect(starts.at(-1)).toMatchObject({ after: 'crash', next: delivered + waiting });
    expect(starts.at(-1)).not.toHaveProperty('lost_ms');
    expect(twice()).toHaveLength(1); // The changed one itself has the number of another.
  });

  test.each([
    ['that waits', boundary + 10, true],
    ['that was delivered', 10, false],
  ])('without a line %s delivers all others', async (_, at, breaks) => {
    const { lost, twice, found, events } = await goOn((directory) =>
      edit(segmentOf(directory), (text) => text.split('\n').toSpliced(at, 1).join('\n')),
    );
    expect([lost, twice()]).toEqual([[], []]);
    expect(found()).toEqual(breaks ? [`missing ${at}`] : []);
    expect(events.includes('spool_damaged')).toBe(!breaks);
  });

  test.each([
    ['that was removed', (path: string) => rm(path)],
    ['that is empty now', (path: string) => truncate(path, 0)],
    ['that was cut within what the sink has', (path: string) => truncate(path, 5_000)],
  ])(
    'with a file %s goes on behind what the sink has, and does not say that only the last moments are missing',
    async (_, damage) => {
      const { lost, twice, events, starts, lines } = await goOn((directory) => damage(segmentOf(directory)));
      expect([lost, twice()]).toEqual([[], []]);
      expect(events).toContain('spool_damaged');
      expect(starts.at(-1)).toMatchObject({ after: 'crash', next: delivered + 1 });
      expect(starts.at(-1)).not.toHaveProperty('lost_ms');
      expect(checkChain(lines).numbers).toEqual(upTo(delivered + 5));
    },
  );

  test.each([
    ['behind the end of its file', { offset: 99_999_999 }],
    ['in a file that was never there', { segment: 9 }],
    ['within a line', { offset: 5_001 }],
    ['nowhere', { hash: 7 }],
  ])('whose cursor points %s brings everything again', async (_, changed) => {
    const { lost, twice, lines, events } = await goOn((directory) =>
      edit(cursorOf(directory), (text) => JSON.stringify({ ...JSON.parse(text), ...changed })),
    );
    expect([lost, twice()]).toEqual([[], []]);
    expect(events).toContain('spool_damaged');
    const { numbers, repeated } = checkChain(lines);
    expect(numbers).toEqual(upTo(delivered + waiting + 5));
    expect(repeated).toBe(sunk.length);
  });

  test('of which nothing is left but what cannot be read does not pass for a new one', async () => {
    const { events, starts, found } = await goOn(async (directory) => {
      await rm(segmentOf(directory));
      await writeFile(cursorOf(directory), '');
    });
    expect(events).toContain('spool_damaged');
    expect(starts.at(-1)).toMatchObject({ after: 'crash' });
    expect(found()).toEqual(['duplicated 0']);
  });

  test('among foreign files and directories is found, and they are left alone', async () => {
    const foreign = ['lost+found', '..data', 'Default', 'a b'];
    const { lines } = await goOn(async (directory) => {
      for (const name of foreign) await cp(join(original, 'default'), join(directory, name), { recursive: true });
      await writeFile(join(directory, 'default', 'README'), 'notes\n');
      await writeFile(join(directory, 'other'), 'notes\n');
    });
    expect(checkChain(lines).numbers).toEqual(upTo(delivered + waiting + 5));
  });
});

test('whichever byte is changed, the next process starts, and no line that was left is lost', async () => {
  const { length } = await readFile(segmentOf(original));
  const paths = [segmentOf, segmentOf, segmentOf, cursorOf];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.nat(length), fc.nat(255), async (path, at, byte) => {
      const { lost, found, lines, events } = await goOn(async (directory) => {
        const bytes = await readFile(path(directory));
        bytes[at % bytes.length] = byte;
        await writeFile(path(directory), bytes);
      });
      expect(lost).toEqual([]);
      // All that waited is there, or a reader sees that it is not, or the last line was taken for torn.
      const isWhole = written.every((line) => lines.includes(line));
      expect(isWhole || found().length > 0 || events.includes('crashed')).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('an empty file before others is passed over', async () => {
  const { lost } = await goOn(async (directory) => {
    const bytes = await readFile(segmentOf(directory));
    await writeFile(join(directory, 'default', '00000004.ndjson'), bytes);
    await writeFile(join(directory, 'default', '00000003.ndjson'), '');
  });
  expect(lost).toEqual([]);
});
