// The file sink on a disk that fills up, and on one that becomes read-only: a small file system in memory, which only
// root may mount.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { createLines, decisionEntry, linesOf, numbersOf, recordsOf } from '../decision-log/entries.ts';

const run = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const probe = await mkdtemp(join(tmpdir(), 'postern-mount-'));
const canMount = run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe) && run('umount', probe);
afterAll(() => rm(probe, { recursive: true }));

const { decision } = createLines('a', 'default');
const batch = (first: number, last = first) => ({
  tenant: 'default',
  parts: [Array.from({ length: last - first + 1 }, (_, i) => decision(decisionEntry(), first + i)).join('')],
  records: last - first + 1,
});

describe.skipIf(!canMount)('a disk', () => {
  let disk: string;
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'postern-disk-'));
    run('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk);
  });
  afterEach(async () => {
    run('umount', disk);
    await rm(disk, { recursive: true });
  });

  /** What is there of all files, whole lines only. */
  async function read() {
    const directory = join(disk, 'default');
    const names = (await readdir(directory)).sort();
    const text = (await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))).join('');
    expect(text === '' || text.endsWith('\n')).toBe(true);
    return numbersOf(recordsOf(linesOf([text])));
  }
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

  test('that is full takes nothing of a batch, or all of it, and goes on when there is room', async () => {
    await writeFile(join(disk, 'of-somebody-else'), Buffer.alloc(128 * 1024));
    const sink = createFileSink({ directory: disk, instance: 'a' });
    let next = 1;
    let failed = '';
    while (failed === '') {
      await sink.write(batch(next, next + 99)).then(
        () => (next += 100),
        (error: Error) => (failed = error.message),
      );
    }
    expect(failed).toContain('ENOSPC');
    expect(next).toBeGreaterThan(100);
    expect(await read()).toEqual(upTo(next - 1));
    await expect(sink.write(batch(next, next + 99))).rejects.toThrow('ENOSPC');
    await unlink(join(disk, 'of-somebody-else'));
    await sink.write(batch(next, next + 99));
    await sink.close();
    expect(await read()).toEqual(upTo(next + 99));
  });

  test('that is full when a file is complete loses nothing of it', async () => {
    const sink = createFileSink({ directory: disk, instance: 'a', rotateBytes: 1 });
    await sink.write(batch(1, 100));
    await writeFile(join(disk, 'of-somebody-else'), Buffer.alloc(256 * 1024)).catch(() => {});
    await expect(sink.write(batch(101, 200))).rejects.toThrow('ENOSPC');
    await unlink(join(disk, 'of-somebody-else'));
    await sink.write(batch(101, 200));
    await sink.close();
    expect(await read()).toEqual(upTo(200));
  });

  test('that becomes read-only rejects, and takes the same batch when it is not any more', async () => {
    const sink = createFileSink({ directory: disk, instance: 'a' });
    await sink.write(batch(1));
    await sink.close();
    const next = createFileSink({ directory: disk, instance: 'a' });
    expect(run('mount', '-o', 'remount,ro', disk)).toBe(true);
    await expect(next.write(batch(2))).rejects.toThrow('EROFS');
    expect(run('mount', '-o', 'remount,rw', disk)).toBe(true);
    await next.write(batch(2));
    await next.close();
    expect(await read()).toEqual([1, 2]);
  });
});
