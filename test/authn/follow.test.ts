// The file changes while it is in use.
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createToken } from '../../src/authn/new-token.ts';
import { bearer, type Opened, openAuth } from './file.ts';
import { createSigningKey } from './issuer.ts';

const one = createToken();
const two = createToken();
const tokensOf = (...made: readonly { readonly sha256: string }[]) =>
  `version: 1\ntokens:\n${made.map(({ sha256 }, i) => `  - { sha256: '${sha256}', subject: 'user:${i}' }\n`).join('')}`;

let opened: Opened;
afterEach(() => opened.close());

const isKnown = ({ token }: { readonly token: string }) =>
  opened.authenticator.authenticate(bearer(token)).then(
    () => true,
    () => false,
  );

const kinds = () => opened.events.map(({ kind }) => kind);

describe('an edit', () => {
  test('changes who is known: a new token beside the old one, then without it', async () => {
    opened = await openAuth(tokensOf(one));
    await opened.write(tokensOf(one, two));
    await expect.poll(() => isKnown(two)).toBe(true);
    expect(await isKnown(one)).toBe(true);
    await opened.write(tokensOf(two));
    await expect.poll(() => isKnown(one)).toBe(false);
    expect(await isKnown(two)).toBe(true);
    expect(opened.events.at(-1)).toEqual({ kind: 'loaded', tokens: 1, issuers: 0, certificates: 0 });
  });

  test('that is not valid keeps the last good state and says why, without a token', async () => {
    opened = await openAuth(tokensOf(one));
    await opened.write(`${tokensOf(one)}  - { sha256: ${two.token}, subject: 'user:b' }\n`);
    await expect.poll(kinds).toEqual(['loaded', 'refused']);
    expect(opened.events.at(-1)).toMatchObject({ message: expect.stringMatching(/auth\.yaml:4:15: "sha256" must be/) });
    expect(JSON.stringify(opened.events)).not.toContain(two.token);
    expect(await isKnown(one)).toBe(true);
    await opened.write(tokensOf(two));
    await expect.poll(() => isKnown(two)).toBe(true);
  });

  test('that takes the file away keeps the last good state', async () => {
    opened = await openAuth(tokensOf(one));
    await rm(opened.path);
    await expect.poll(kinds).toEqual(['loaded', 'refused']);
    expect(await isKnown(one)).toBe(true);
  });

  test('that puts the file back as it was is a load', async () => {
    opened = await openAuth(tokensOf(one));
    await opened.write('version: 2');
    await expect.poll(kinds).toEqual(['loaded', 'refused']);
    await opened.write(tokensOf(one));
    await expect.poll(kinds).toEqual(['loaded', 'refused', 'loaded']);
  });

  test('to nobody locks everybody out', async () => {
    opened = await openAuth(tokensOf(one));
    await opened.write('version: 1\n');
    await expect.poll(() => isKnown(one)).toBe(false);
  });

  test('that names keys which are not there yet comes in force when they are', async () => {
    opened = await openAuth(tokensOf(one));
    const issuer = '{ issuer: i, audience: a, jwks: ./k/keys.json, subject: { type: user, claim: sub } }';
    await mkdir(join(opened.directory, 'k'));
    await opened.write(`${tokensOf(two)}jwt: [${issuer}]\n`);
    await expect.poll(kinds).toEqual(['loaded', 'refused']);
    expect(await isKnown(two)).toBe(false);
    const { publicJwk } = await createSigningKey('k');
    await writeFile(join(opened.directory, 'k/keys.json'), JSON.stringify({ keys: [publicJwk] }));
    await expect.poll(() => isKnown(two)).toBe(true);
    expect(opened.events.at(-1)).toMatchObject({ kind: 'loaded', tokens: 1, issuers: 1 });
  });

  test('by a link that Kubernetes swaps is seen', async () => {
    opened = await openAuth(tokensOf(one));
    const { directory, path } = opened;
    const publish = async (version: string, text: string) => {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, 'auth.yaml'), text, { mode: 0o600 });
      await symlink(version, join(directory, '..next'));
      await rename(join(directory, '..next'), join(directory, '..data'));
    };
    await publish('..1', tokensOf(one));
    await symlink('..data/auth.yaml', join(directory, 'link'));
    await rename(join(directory, 'link'), path);
    await publish('..2', tokensOf(two));
    await expect.poll(() => isKnown(two)).toBe(true);
  });
});

describe('a file that others may', () => {
  test.for([
    [0o604, /may read it/],
    [0o602, /may write it/],
    [0o666, /may write it/],
  ] as const)('use with the mode %o is told', async ([mode, message]) => {
    opened = await openAuth(tokensOf(one));
    expect(kinds()).toEqual(['loaded']);
    await chmod(opened.path, mode);
    await vi.waitFor(() => expect(kinds()).toEqual(['loaded', 'exposed']));
    expect(opened.events.at(-1)).toMatchObject({ message: expect.stringMatching(message) });
    expect(await isKnown(one)).toBe(true);
  });

  test('not use is no matter for a group', async () => {
    opened = await openAuth(tokensOf(one));
    await chmod(opened.path, 0o640);
    await opened.write(tokensOf(one, two));
    await expect.poll(() => isKnown(two)).toBe(true);
    expect(kinds()).toEqual(['loaded', 'loaded']);
  });
});

test('a file that is not valid at first is refused with all its problems', async () => {
  opened = await openAuth(tokensOf(one));
  await expect(openAuth('version: 1\ntokens: [{ sha256: x, subject: a }]')).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(/"sha256" must be[\s\S]*subject "a" has no colon/),
  });
});

test('closing twice is closing once, and no edit counts any more', async () => {
  opened = await openAuth(tokensOf(one));
  await Promise.all([opened.authenticator.close(), opened.authenticator.close()]);
  const other = await openAuth(tokensOf(one));
  await opened.write(tokensOf(two));
  await other.write(tokensOf(two));
  await vi.waitFor(() => expect(other.events).toHaveLength(2));
  await other.close();
  expect(await isKnown(one)).toBe(true);
});
