// The files of one tenant while a process has them: what cannot be removed now is removed later, and what somebody
// changes in them is an error, and no work without end.
import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TenantSpool, type Waiting } from '../../../src/decision-log/spool/tenant-spool.ts';
import { createFaultyDisk, type FaultyDisk } from '../../setup/faulty-disk.ts';

let directory: string;
let disk: FaultyDisk;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-tenant-'));
  disk = await createFaultyDisk(directory);
});
afterEach(async () => {
  disk.restore();
  await rm(directory, { recursive: true, force: true });
});

const longLine = Buffer.from(`${'x'.repeat(9 * 2 ** 20)}\n`);
const files = () => readdirSync(directory).filter((name) => name.endsWith('.ndjson'));

/** The sink takes what waits of one file. */
async function ship(spool: TenantSpool): Promise<void> {
  spool.advance(((await spool.read()) as Waiting).end);
}

test('a file that cannot be removed is removed later', async () => {
  const spool = await TenantSpool.open(directory);
  for (let i = 0; i < 4; i++) await spool.append(longLine);
  await ship(spool);
  await ship(spool);
  // It is noted how far the sink is, and then the first file is to be removed.
  disk.faults.push('none', 'refused');
  await expect(spool.save()).rejects.toThrow('by the test');
  expect(files()).toHaveLength(4);
  await ship(spool);
  await spool.save();
  expect(files()).toEqual(['00000004.ndjson', '00000005.ndjson']);
  await spool.close(true);
});

test('a file that somebody changed so that no line ends any more is an error, until a line ends', async () => {
  const spool = await TenantSpool.open(directory);
  await spool.append(Buffer.from('{"a":1}\n'));
  writeFileSync(join(directory, '00000002.ndjson'), '{"a":1}x');
  await expect(spool.read()).rejects.toThrow('no line ends');
  await spool.append(Buffer.from('{"a":2}\n'));
  expect((await spool.read())?.lines.toString()).toBe('{"a":1}x{"a":2}\n');
  await spool.close(true);
});
