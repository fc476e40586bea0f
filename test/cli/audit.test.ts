// postern audit verify, query and export on logs on disk, by the real program.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/decision-log/verify/report.ts';
import { ChainWriter, makeSigningKey } from '../decision-log/verify/chain-writer.ts';
import { postern } from './postern.ts';
import { hasTerminal, onTerminal } from './terminal.ts';

const key = makeSigningKey();
const signed = new ChainWriter({ key }).start().decisions(40).gap(3).seal().decisions(5, 'user:bob').seal().stop();
const damaged = new ChainWriter({ instance: 'i-2', tenant: 'acme' }).start().decisions(20);
damaged.lines.splice(8, 2);

let directory = '';
const run = (...args: string[]) => postern(['audit', ...args], { cwd: directory });
const toText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-audit-'));
  await mkdir(join(directory, 'good', 'default'), { recursive: true });
  await writeFile(join(directory, 'good/default/decisions-i-1.000001.ndjson'), toText(signed.lines.slice(0, 30)));
  await writeFile(join(directory, 'good/default/decisions-i-1.ndjson'), toText(signed.lines.slice(30)));
  await mkdir(join(directory, 'bad'));
  await writeFile(join(directory, 'bad/decisions-i-2.ndjson'), toText(damaged.lines));
  await writeFile(join(directory, 'key.pem'), key.publicPem);
  await writeFile(join(directory, 'other.pem'), makeSigningKey().publicPem);
});

afterAll(() => rm(directory, { recursive: true }));

describe('verify', () => {
  test('of a log in order says so, with what it holds, and ends with 0', async () => {
    const args = ['verify', '--dir', 'good', '--public-key', 'key.pem', '--expect-last', signed.hash];
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('default i-1  50 lines, 1 to 48, 2026-03-04T05:06:07.003Z to ');
    expect(stdout).toContain(`begins with its start; ends in order; 2 seals, 2 signed by ${key.name} (checked), `);
    expect(stdout).toContain('3 missing by buffer_full, and told\n');
    expect(stdout).toMatch(/\nin order: 1 chain, 50 lines read\n$/);
    expect(stdout).not.toContain('not shown');
  });

  test('names the first problem exactly, and ends with 1', async () => {
    const { code, stdout } = await run('verify', '--dir', 'bad');
    const offset = toText(damaged.lines.slice(0, 8)).length;
    expect(code).toBe(1);
    expect(stdout).toContain(
      `missing bad/decisions-i-2.ndjson:${offset}: tenant acme, instance i-2, number 8: 2 numbers, 8 to 9, are missing before`,
    );
    expect(stdout).toContain('not shown: who made these lines; no seal is signed');
    expect(stdout).toContain(`--expect-last ${damaged.hash}`);
    expect(stdout).toMatch(/\nnot in order: 1 problem in 1 chain, 19 lines read; .*\n$/);
  });

  test('reads several logs as one, and prints the report for machines', async () => {
    const { code, stdout } = await run('verify', '--dir', 'good', '--dir', 'bad', '--json');
    const report = JSON.parse(stdout) as Report;
    expect(code).toBe(1);
    expect(report).toMatchObject({ ok: false, lines: 69, problemCount: 1 });
    expect(report.chains.map(({ instance, problems }) => [instance, problems])).toEqual([
      ['i-1', 0],
      ['i-2', 1],
    ]);
  });

  test.for<{ name: string; args: string[]; code: number; says: string }>([
    {
      name: 'a cut end',
      args: ['bad', '--expect-last', 'i-2=21'],
      code: 1,
      says: 'cut the end: instance i-2, number 21: is expected',
    },
    {
      name: 'another key',
      args: ['good', '--public-key', 'other.pem'],
      code: 1,
      says: `signed by key ${key.name}, which`,
    },
    {
      name: 'no seal',
      args: ['bad', '--public-key', 'key.pem'],
      code: 1,
      says: 'begins a chain without a signed seal',
    },
    { name: 'nothing', args: ['good', '--instance', 'i-9'], code: 1, says: 'nothing to verify' },
    { name: 'another tenant', args: ['bad', '--tenant', 'default'], code: 1, says: 'nothing to verify' },
    { name: 'no log', args: ['none'], code: 4, says: 'there is no decision log at none' },
    {
      name: 'a key that is none',
      args: ['good', '--public-key', 'none.pem'],
      code: 2,
      says: 'none.pem cannot be read',
    },
    { name: 'an expectation of whom', args: ['.', '--expect-last', '5'], code: 2, says: 'write instance=5' },
    { name: 'a bad expectation', args: ['good', '--expect-last', 'x'], code: 2, says: 'is neither a hash' },
  ])('of $name ends with $code', async ({ args, code, says }) => {
    const done = await run('verify', '--dir', ...args);
    expect(done.stdout + done.stderr).toContain(says);
    expect(done.code).toBe(code);
  });
});

test.skipIf(!hasTerminal)('shows on a terminal how far it is', async () => {
  const log = join(directory, 'good');
  const { code, text } = await onTerminal(['audit', 'verify', '--dir', log], {}, async () => '');
  expect(code).toBe(0);
  expect(text).toMatch(/bytes read .*%/);
  expect(text).toContain('in order: 1 chain');
});

describe('export', () => {
  test('copies a range as it is, which is verified as strictly as the whole', async () => {
    const timeOf = (index: number) => (JSON.parse(signed.lines[index] as string) as { time: string }).time;
    const range = ['--since', timeOf(10), '--until', timeOf(20)];
    const done = await run('export', '--dir', 'good', ...range, '--out', 'part.ndjson.gz', '--json');
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ file: 'part.ndjson.gz', lines: 10, problems: 0 });
    const packed = await readFile(join(directory, 'part.ndjson.gz'));
    expect(gunzipSync(packed).toString()).toBe(toText(signed.lines.slice(10, 20)));
    const again = await run('verify', '--dir', 'part.ndjson.gz');
    expect(again.stdout).toContain('begins in the middle, and follows from the line before');
    expect(again.code).toBe(0);
  });

  test('is found to be cut, or changed in its first line', async () => {
    expect(
      (await run('export', '--dir', 'good', '--since', '2026-03-04T05:06:07.030Z', '--out', 'x.ndjson')).code,
    ).toBe(0);
    const text = await readFile(join(directory, 'x.ndjson'), 'utf8');
    await writeFile(join(directory, 'x.ndjson'), text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
    const cut = await run('verify', '--dir', 'x.ndjson');
    expect(cut).toMatchObject({ code: 1, stdout: expect.stringContaining(`cut the end: hash ${signed.hash}`) });
    await writeFile(join(directory, 'x.ndjson'), text.replace('alice', 'alicf'));
    const changed = await run('verify', '--dir', 'x.ndjson');
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringContaining('altered x.ndjson:0: tenant default') });
  });

  test('says which problems it has copied, and writes only what is named like a log', async () => {
    const done = await run('export', '--dir', 'bad', '--out', 'bad-copy.ndjson');
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('1 problem in what was copied') });
    expect(await readFile(join(directory, 'bad-copy.ndjson'), 'utf8')).toBe(toText(damaged.lines));
    expect(await run('export', '--dir', 'bad', '--out', 'x.txt')).toMatchObject({ code: 2 });
    const nowhere = await run('export', '--dir', 'bad', '--out', 'no/where.ndjson');
    expect(nowhere).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--out no/where.ndjson cannot be written'),
    });
  });
});

describe('export of a log that cannot be read', () => {
  test.for(['copy.ndjson', 'copy.ndjson.gz'])('says so, and leaves no part of %s', async (out) => {
    await mkdir(join(directory, 'broken'), { recursive: true });
    await writeFile(join(directory, 'broken/decisions-i-1.000001.ndjson.gz'), 'not compressed');
    const done = await run('export', '--dir', 'broken', '--out', out);
    expect(done).toMatchObject({ code: 4, stderr: expect.stringContaining('cannot read the decision log') });
    expect((await readdir(directory)).filter((name) => name.startsWith('copy'))).toEqual([]);
  });
});

describe('query', () => {
  test('prints each record once, from all logs, in the order of time', async () => {
    await mkdir(join(directory, 'twice'));
    await writeFile(join(directory, 'twice/decisions-i-1.ndjson'), toText([...signed.lines, ...signed.lines]));
    const { code, stdout } = await run('query', '--dir', 'good', '--dir', 'twice', '--subject', 'user:bob', '--json');
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type?: string; seq?: number });
    expect(code).toBe(0);
    expect(records.map(({ type, seq }) => type ?? seq)).toEqual(['gap', 44, 45, 46, 47, 48]);
  });

  test('finds one decision by its id, and stops at a limit', async () => {
    const { id } = JSON.parse(signed.lines[7] as string) as { id: string };
    const one = await run('query', '--dir', 'good', '--id', id, '--json');
    expect(one).toMatchObject({ code: 0, stdout: `${signed.lines[7]}\n` });
    const two = await run('query', '--dir', 'good', '--limit', '2', '--all-kinds', '--json');
    expect(two.stdout).toBe(toText(signed.lines.slice(0, 2)));
    expect(two.stderr).toContain('the 2 oldest records that match');
  });
});
