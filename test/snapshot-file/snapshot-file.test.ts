// Snapshots on disk, as files that are really written: what comes back, and what is refused of what was damaged.
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { FlatBuilder } from '../../src/graph/flat/builder.ts';
import type { FlatGraph } from '../../src/graph/flat/graph.ts';
import { snapshotOf } from '../../src/graph/flat/snapshot-of.ts';
import { recordsOf } from '../../src/graph/records.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { SnapshotDirectory } from '../../src/snapshot-file/directory.ts';
import { graph } from '../reference/arbitraries.ts';
import { sameRecords } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';
import { bindingOf, oneOfEach } from '../store/records.ts';

const facts = { tenant: 'acme', revision: { epoch: 'e', number: 7, nonce: 'n' }, knownAtMs: 1_700_000_000_000 };

let root: string;
let directory: SnapshotDirectory;
let file: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'postern-snapshots-'));
  directory = new SnapshotDirectory(join(root, 'snapshots'));
  await directory.open();
  file = join(directory.path, 'acme.snapshot');
});
afterEach(() => rm(root, { recursive: true }));

function flatOf(records: readonly EntityRecord[]): FlatGraph {
  const builder = new FlatBuilder(seed);
  for (const record of records) builder.put(record);
  return builder.finish();
}

const recordsIn = (flat: FlatGraph) => [...recordsOf(snapshotOf(flat, graphOptions, facts.revision))];
const some: readonly EntityRecord[] = [...oneOfEach, ...Array.from({ length: 50 }, (_, i) => bindingOf(i))];

describe('a snapshot on disk', () => {
  test('comes back as it was written, whatever the graph', async () => {
    await fc.assert(
      fc.asyncProperty(graph, async (records) => {
        const flat = flatOf(records);
        await directory.write(flat, facts);
        const saved = await directory.read('acme');
        expect(saved).toEqual({ ...facts, flat });
        sameRecords(recordsIn(saved?.flat as FlatGraph), recordsIn(flat));
      }),
      { seed, numRuns: 60 },
    );
  });

  test('is not there before it was written, and not after it was removed', async () => {
    expect(await directory.read('acme')).toBeUndefined();
    await directory.write(flatOf(some), facts);
    await directory.remove('acme');
    expect(await directory.read('acme')).toBeUndefined();
  });

  test('is private to its owner, and leaves nothing beside it', async () => {
    await directory.write(flatOf(some), facts);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(directory.path)).mode & 0o777).toBe(0o700);
    expect(await readdir(directory.path)).toEqual(['acme.snapshot']);
  });

  test('is refused with any byte changed that is read', async () => {
    await directory.write(flatOf(some), facts);
    const whole = await readFile(file);
    const before = await directory.read('acme');
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] as number) ^ flip;
        await writeFile(file, damaged);
        // Between arrays there are bytes that nobody reads.
        const outcome = await directory.read('acme').catch((error: unknown) => error);
        if (outcome instanceof Error) {
          refused++;
          expect(outcome).toMatchObject({ code: 'STORE_CORRUPT', metadata: { where: file } });
        } else expect(outcome).toEqual(before);
      }),
      { seed, numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(300);
  });

  test('is refused cut short anywhere', async () => {
    await directory.write(flatOf(some), facts);
    const { size } = await stat(file);
    for (let length = size - 1; length >= 0; length -= Math.ceil(size / 40)) {
      await truncate(file, length);
      await expect(directory.read('acme'), `${length} bytes`).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
  });

  test.each([
    [
      'of another tenant',
      async () => directory.write(flatOf(some), { ...facts, tenant: 'other' }).then(() => copyFrom('other')),
      /is of tenant "other"/,
    ],
    [
      'that is something else',
      async () => writeFile(file, 'version: 1\nroles: {}\n', { mode: 0o600 }),
      /is no snapshot/,
    ],
    ['that is empty', async () => writeFile(file, '', { mode: 0o600 }), /is no snapshot/],
    ['that is a pipe', async () => void execFileSync('mkfifo', ['-m', '600', file]), /is no file/],
    ['of a later version', async () => patched(16, 99), /has version 99, not 1/],
    [
      'that others may write',
      async () => directory.write(flatOf(some), facts).then(() => chmod(file, 0o622)),
      /may be written by others/,
    ],
  ])('is refused %s', async (_, make, message) => {
    await make();
    await expect(directory.read('acme')).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(message) as string,
    });
  });

  async function copyFrom(tenant: string): Promise<void> {
    await writeFile(file, await readFile(join(directory.path, `${tenant}.snapshot`)), { mode: 0o600 });
  }

  async function patched(at: number, byte: number): Promise<void> {
    await directory.write(flatOf(some), facts);
    const bytes = await readFile(file);
    bytes[at] = byte;
    await writeFile(file, bytes);
  }

  test('that could not be written leaves the one before', async () => {
    await directory.write(flatOf(some), facts);
    const impossible = { ...facts, revision: { epoch: 'e', number: 8 }, knownAtMs: 1n as unknown as number };
    await expect(directory.write(flatOf(some), impossible)).rejects.toThrow();
    expect((await directory.read('acme'))?.revision).toEqual(facts.revision);
    expect(await readdir(directory.path)).toEqual(['acme.snapshot']);
  });

  test('what crashes have left is cleared away, what is being written is not', async () => {
    const [old, fresh] = ['acme.snapshot.aa.tmp', 'acme.snapshot.bb.tmp'].map((name) => join(directory.path, name));
    for (const path of [old, fresh]) await writeFile(path as string, 'half');
    const longAgo = new Date(Date.now() - 2 * 60 * 60_000);
    await utimes(old as string, longAgo, longAgo);
    await directory.open();
    expect(await readdir(directory.path)).toEqual(['acme.snapshot.bb.tmp']);
  });
});
