// More files than may be open at once: none is opened beyond the bound, none is closed while it is used, and what is
// written to them is what would be there without a bound.
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Openable, OpenFiles } from '../../src/decision-log/open-files.ts';
import { createFileSink } from '../../src/decision-log/sinks/file.ts';
import { TenantSpool } from '../../src/decision-log/spool/tenant-spool.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-open-files-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('files of which few may be open', () => {
  const opened: string[] = [];
  const closed: string[] = [];
  let fails = '';
  beforeEach(() => {
    opened.length = 0;
    closed.length = 0;
    fails = '';
  });
  const file = (name: string): Openable => ({
    async open() {
      if (name === fails) throw new Error(`${name} cannot be opened`);
      opened.push(name);
    },
    async letGo() {
      closed.push(name);
    },
  });
  const touch = async () => {};

  test('are let go where another is used, the least recently used first', async () => {
    const files = new OpenFiles(2);
    const [a, b, c] = [file('a'), file('b'), file('c')];
    for (const each of [a, b, a, c, a, b]) await files.use(each, touch);
    expect(opened).toEqual(['a', 'b', 'c', 'b']);
    expect(closed).toEqual(['b', 'c']);
  });

  test('are not let go while they are used: whoever comes then waits', async () => {
    const files = new OpenFiles(1);
    const [a, b] = [file('a'), file('b')];
    const works = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const using = works.map(({ promise }) => files.use(a, () => promise));
    const waiting = files.use(b, touch);
    works[0].resolve();
    await using[0];
    expect(closed).toEqual([]);
    works[1].resolve();
    await waiting;
    expect([opened, closed]).toEqual([['a', 'b'], ['a']]);
  });

  test('that cannot be opened give their place to the next', async () => {
    const files = new OpenFiles(1);
    fails = 'a';
    const a = file('a');
    const all = await Promise.allSettled([a, a, file('b'), a, file('c')].map((each) => files.use(each, touch)));
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(opened).toEqual(['b', 'c']);
  });

  test('give way to what is open for a moment, and it to them', async () => {
    const files = new OpenFiles(1);
    const done: string[] = [];
    const note = (name: string) => async () => void done.push(name);
    await Promise.all([
      files.use(file('a'), note('a')),
      files.during(note('a moment')),
      files.use(file('b'), note('b')),
      files.during(note('another')),
    ]);
    expect(done.sort()).toEqual(['a', 'a moment', 'another', 'b']);
  });
});

const names = Array.from({ length: 20 }, (_, i) => `t${i}`);
const rounds = [1, 2, 3, 4, 5];
const line = (round: number) => `{"seq":${round},"hash":"${'h'.repeat(43)}"}\n`;
/** Files of this test that this process has open. */
async function openHere(): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((path) => path.startsWith(directory)).length;
}

test('spools of many tenants append and read in order, within a turn, too, and after they are opened anew', async () => {
  const files = new OpenFiles(3);
  const open = () => Promise.all(names.map((name) => TenantSpool.open(join(directory, name), files)));
  const spools = await open();
  for (const round of rounds) {
    if (round % 2 === 1) await Promise.all(spools.map((spool) => spool.append(Buffer.from(line(round)))));
    else {
      for (const spool of spools) {
        expect(spool.appendNow(Buffer.from(line(round)))).toBe(true);
        spool.syncNow();
      }
    }
    if (process.platform === 'linux') expect(await openHere()).toBeLessThanOrEqual(3);
  }
  const read = await Promise.all(spools.map((spool) => spool.read()));
  for (const waiting of read) expect(String(waiting?.lines)).toBe(rounds.map(line).join(''));
  await Promise.all(spools.map((spool) => spool.sync()));
  await Promise.all(spools.map((spool) => spool.close(true)));
  const again = await open();
  expect(again.map(({ left }) => left.chain.lastSeq)).toEqual(names.map(() => 5));
  await Promise.all(again.map((spool) => spool.close(true)));
  if (process.platform === 'linux') expect(await openHere()).toBe(0);
});

test('a spool whose file was removed while others had its place goes on in the next one', async () => {
  const files = new OpenFiles(1);
  const [spool, other] = [
    await TenantSpool.open(join(directory, 'a'), files),
    await TenantSpool.open(join(directory, 'b'), files),
  ];
  await spool.append(Buffer.from(line(1)));
  spool.advance((await spool.read())?.end ?? expect.fail('nothing waits'));
  await other.append(Buffer.from(line(1)));
  await rm(join(directory, 'a'), { recursive: true });
  await expect(spool.append(Buffer.from(line(2)))).rejects.toThrow('ENOENT');
  await spool.trim();
  await spool.append(Buffer.from(line(2)));
  expect(String((await spool.read())?.lines)).toBe(line(2));
  await Promise.all([spool.close(true), other.close(true)]);
});

test('files of many tenants hold every batch, across rotations, and are closed in the end', async () => {
  const sink = createFileSink({ directory, instance: 'a', rotateBytes: 120, openFiles: new OpenFiles(3) });
  for (const round of rounds) {
    await Promise.all(names.map((tenant) => sink.write({ tenant, parts: [line(round)], records: 1 })));
    if (process.platform === 'linux') expect(await openHere()).toBeLessThanOrEqual(3);
  }
  await sink.close();
  if (process.platform === 'linux') expect(await openHere()).toBe(0);
  for (const tenant of names) {
    const found = (await readdir(join(directory, tenant))).sort((a, b) =>
      a.length === b.length ? a.localeCompare(b) : b.length - a.length,
    );
    const texts = await Promise.all(found.map((name) => readFile(join(directory, tenant, name), 'utf8')));
    expect(texts.join('')).toBe(rounds.map(line).join(''));
  }
});
