// What the files of a spool say of the chain, where their last lines say little.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newChain } from '../../../src/decision-log/chain/chain.ts';
import { Linker } from '../../../src/decision-log/chain/linker.ts';
import { createMarks } from '../../../src/decision-log/chain/marks.ts';
import { createEncoder } from '../../../src/decision-log/encode.ts';
import { TenantSpool } from '../../../src/decision-log/spool/tenant-spool.ts';
import { decisionEntry, someTime } from '../entries.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-resume-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const encoder = createEncoder('i-1', 'default');
const decision = (seq: number, bytes = 0) =>
  encoder.decision(decisionEntry(bytes === 0 ? {} : { attributes: { of: 'x'.repeat(bytes) } }), seq);
const createLinker = () =>
  new Linker('default', newChain, 'nothing', {
    instance: 'i-1',
    logFacts: () => '{}',
    lostMs: 0,
    sealIntervalMs: 3_600_000,
    sealLines: 1_000_000,
    sign: undefined,
    now: () => someTime,
  });

test('numbers go on behind those of the file before, where the last one tells only of what was refused', async () => {
  const spool = await TenantSpool.open(directory);
  const linker = createLinker();
  await spool.append(linker.link([decision(1)], 1));
  const first = await spool.read();
  await spool.append(linker.link([decision(2, 9 * 2 ** 20)], 2));
  spool.advance((first as NonNullable<typeof first>).end);
  await spool.save();
  const gap = createMarks('i-1', 'default').gap({ first: 1, last: 1 }, 'refused', someTime, {
    from: '',
    through: linker.hash,
  });
  await spool.append(linker.link([gap], 0));
  await spool.close(true);
  const again = await TenantSpool.open(directory);
  expect(again.left.chain).toEqual({ hash: linker.hash, lastSeq: 2 });
  await again.close(true);
});

test('a file of lines that say nothing, however many, keeps no process from beginning', async () => {
  await writeFile(join(directory, '00000002.ndjson'), '{}\n'.repeat(300_000));
  const spool = await TenantSpool.open(directory);
  expect(spool.left.damage).toBeDefined();
  await spool.close(true);
});
