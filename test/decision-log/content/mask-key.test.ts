import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMaskKey } from '../../../src/decision-log/content/mask-key.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-mask-key-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let files = 0;
async function fileOf(bytes: Buffer | string, mode = 0o400): Promise<string> {
  const path = join(directory, `key-${++files}`);
  await writeFile(path, bytes, { mode: 0o600 });
  await chmod(path, mode);
  return path;
}

test('a key is the bytes of its file; the newline behind a text is not part of it', async () => {
  const text = randomBytes(32).toString('base64');
  expect(await readMaskKey(await fileOf(`${text}\n`))).toEqual(Buffer.from(text));
  expect(await readMaskKey(await fileOf(`${text}\r\n`, 0o440))).toEqual(Buffer.from(text));
  const bytes = Buffer.concat([Buffer.alloc(31, 0xff), Buffer.from('\n')]);
  expect(await readMaskKey(await fileOf(bytes))).toEqual(bytes);
});

const key = 'k'.repeat(32);
test.for<[what: string, bytes: string, mode: number, says: string]>([
  ['is short', 'k'.repeat(31), 0o400, 'it is too short for a key; 32 bytes are the least'],
  ['is empty', '', 0o400, 'it is too short for a key'],
  ['is a policy, by mistake', 'x'.repeat(5_000), 0o400, 'it is too long for a key'],
  ['everybody may read', key, 0o644, 'everybody may read it; chmod it to 0400 or 0440'],
  ['everybody may write', key, 0o602, 'everybody may write it'],
])('a key file that %s is refused, without a byte of it', async ([, bytes, mode, says]) => {
  const path = await fileOf(bytes, mode);
  const error: unknown = await readMaskKey(path).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'INVALID_OPTION' });
  expect(String(error)).toContain(`--decision-log-mask-key-file ${path}: ${says}`);
  expect(String(error)).not.toMatch(/k{5}|x{5}/);
});

test('a key file that is not there, or is a directory, is refused by name', async () => {
  await expect(readMaskKey(join(directory, 'none'))).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('no such file'),
  });
  await expect(readMaskKey(directory)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
