// Files that change while they are verified, and what is told of files beside their records.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogVerifier, type VerifyOptions } from '../../../src/decision-log/verify/log-verifier.ts';
import { SealKeys } from '../../../src/decision-log/verify/seals.ts';
import { type Reading, verifyFiles } from '../../../src/decision-log/verify/sources.ts';
import { ChainWriter } from './chain-writer.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-sources-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const toText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const put = (name: string, text: string | Buffer) => writeFileSync(join(directory, name), text);

async function verifyDirectory(reading: Reading = {}, options: Partial<VerifyOptions> = {}) {
  const verifier = new LogVerifier({ keys: new SealKeys([]), ...options });
  await verifyFiles(verifier, [directory], reading);
  return verifier.finish();
}

test('files that are rotated while they are read are read all the same', async () => {
  const { lines } = new ChainWriter().start().decisions(30).stop();
  put('decisions-i-1.000001.ndjson', toText(lines.slice(0, 10)));
  put('decisions-i-1.ndjson', toText(lines.slice(10, 20)));
  let isRotated = false;
  const onRead = () => {
    if (isRotated) return;
    isRotated = true;
    renameSync(join(directory, 'decisions-i-1.ndjson'), join(directory, 'decisions-i-1.000002.ndjson'));
    put('decisions-i-1.ndjson', toText(lines.slice(20)));
  };
  expect(await verifyDirectory({ onRead })).toMatchObject({
    ok: true,
    chains: [{ lines: 32, ends: 'stop', repeats: 0 }],
  });
});

test('compressed files, and ends within a line, are what they are', async () => {
  const { lines } = new ChainWriter().start().decisions(9);
  put('decisions-i-1.000001.ndjson.gz', gzipSync(toText(lines.slice(0, 5))));
  put('decisions-i-1.ndjson', `${toText(lines.slice(5))}{"id":`);
  const read: number[] = [];
  const report = await verifyDirectory({ onRead: (bytes) => read.push(bytes), onTotal: (total) => read.push(-total) });
  expect(report).toMatchObject({
    ok: true,
    chains: [{ lines: 10 }],
    notes: [{ note: expect.stringContaining('6 bytes') }],
  });
  expect(read.reduce((sum, bytes) => sum + bytes)).toBe(0);
});

test('a line that is too long is garbage, and so is a log in another format', async () => {
  put('decisions-i-1.ndjson', `${'x'.repeat(3_000_000)}\nhello\n`);
  const { ok, problems } = await verifyDirectory();
  expect(ok).toBe(false);
  expect(problems.map(({ kind, where }) => [kind, where])).toEqual([
    ['garbage', join(directory, 'decisions-i-1.ndjson:0')],
    ['garbage', join(directory, 'decisions-i-1.ndjson:3000001')],
  ]);
});

test('what is no record outside of the range is a note', async () => {
  const { lines } = new ChainWriter().start().decisions(9);
  const timeOf = (index: number) => (JSON.parse(lines[index] as string) as { time: string }).time;
  put('decisions-i-1.ndjson', toText([...lines.slice(0, 3), 'hello', ...lines.slice(3)]));
  expect(await verifyDirectory()).toMatchObject({ ok: false, problemCount: 1 });
  expect(await verifyDirectory({}, { since: timeOf(5) })).toMatchObject({ ok: true, notes: [{}] });
  expect(await verifyDirectory({}, { since: timeOf(1) })).toMatchObject({ ok: false });
});
