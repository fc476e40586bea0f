// The commands of the README, run as they are written: what `npm start` starts and the lines that it prints, the lines
// of the policy in a directory of its own, and those of Redis against a real one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cleanEnvironment } from '../cli/postern.ts';
import { blockWith, readPage, root } from '../docs/pages.ts';
import { sharedRedisUrl } from '../setup/redis-server.ts';

const readme = readPage('README.md');
const hasCurl = spawnSync('curl', ['--version']).status === 0;
/** Starting Node behind npx takes most of a second. */
const patience = { timeout: 15_000, interval: 20 };
const freePorts = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];

/** What a person reads: the output so far, and a way to end it. */
interface Watched {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
}

const watched: Watched[] = [];
let directory = '';
let environment: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-readme-'));
  // `npx postern` outside of a checkout: the command as an install would link it.
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${root}/bin/postern.js' "$@"\n`, {
    mode: 0o755,
  });
  // Starting must never install here: npm ci would take node_modules away from the tests that run.
  await writeFile(join(bin, 'npm'), '#!/bin/sh\necho "no npm in this test" >&2\nexit 1\n', { mode: 0o755 });
  environment = { ...cleanEnvironment(), PATH: `${bin}${delimiter}${process.env.PATH}` };
});

afterAll(async () => {
  await Promise.all(watched.map(({ child }) => end(child)));
  await rm(directory, { recursive: true, force: true });
});

/** In the checkout, npx is the real one; it must find the command without asking a registry. */
function environmentOf(cwd: string): NodeJS.ProcessEnv {
  return cwd === root ? { ...cleanEnvironment(), npm_config_offline: 'true' } : environment;
}

function watch(line: string, cwd: string, env = environmentOf(cwd)): Watched {
  // A group of its own, so that all of `npx ... | ...` can be ended as Ctrl-C would.
  const child = spawn('bash', ['-c', line], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (data) => (texts.stdout += String(data)));
  child.stderr?.on('data', (data) => (texts.stderr += String(data)));
  const one: Watched = { child, stdout: () => texts.stdout, stderr: () => texts.stderr };
  watched.push(one);
  return one;
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = once(child, 'close');
  process.kill(-child.pid, signal);
  await closed;
}

async function run(line: string, cwd: string) {
  const one = watch(line, cwd);
  const [code] = await once(one.child, 'close');
  return { code, stdout: one.stdout(), stderr: one.stderr() };
}

/** The commands of a block of the README, without what they say about themselves. */
function linesWith(part: string): readonly string[] {
  const lines = blockWith(readme, 'sh', part).trim().split('\n');
  return lines.map((line) => line.replace(/ +# .*$/, ''));
}

describe('npm start', () => {
  let sidecar: Watched;
  let printed: readonly string[] = [];

  beforeAll(async () => {
    const log = join(directory, 'decisions');
    const args = [...freePorts, '--decision-log-dir', log, '--log-format', 'json'];
    sidecar = watch(`exec '${process.execPath}' scripts/start.js ${args.join(' ')}`, root, environment);
    await vi.waitFor(() => expect(sidecar.stderr()).toMatch(/\nTry:\n(?: {2}.+\n)+\n/), patience);
    printed = [...sidecar.stderr().matchAll(/^ {2}((?:curl|npx) .+)$/gm)].map(([, line = '']) => line);
  });

  const printedLine = (start: string) => printed.find((line) => line.startsWith(start)) ?? 'false';

  test('prints the lines of the README, with the addresses and the directory that it was given', () => {
    const asInReadme = printed.map((line) =>
      line
        .replace(/ --address 127\.0\.0\.1:\d+/, '')
        .replace(/127\.0\.0\.1:\d+/, '127.0.0.1:7679')
        .replace(join(directory, 'decisions'), '.postern/decisions'),
    );
    expect(asInReadme).toEqual(linesWith('npx postern tail --dir'));
  });

  test.skipIf(!hasCurl)('its curl line is answered (skipped without curl)', async () => {
    const { code, stdout } = await run(printedLine('curl '), root);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ decision: { allowed: true, reason: 'REASON_ALLOWED' } });
  });

  test('its command lines are answered, and what they asked is in the log that the last one follows', async () => {
    const [check, explain] = await Promise.all([
      run(printedLine('npx postern check'), root),
      run(printedLine('npx postern explain'), root),
    ]);
    expect(check).toMatchObject({ code: 0, stdout: expect.stringMatching(/^allowed\n/) });
    expect(explain).toMatchObject({ code: 1, stdout: expect.stringMatching(/^denied\nEXPLICIT_DENY by /) });
    const tail = watch(printedLine('npx postern tail'), root);
    await vi.waitFor(() => expect(tail.stdout()).toMatch(/ allowed user:alice write doc:roadmap /), patience);
    await vi.waitFor(() => expect(tail.stdout()).toMatch(/ denied {2}user:mallory read doc:roadmap /), patience);
    await end(tail.child, 'SIGINT');
  });

  test('the log verifies, is searched, and judges a policy, by the lines for auditors', async () => {
    const log = join(directory, 'decisions');
    const proposed = join(root, 'examples', 'quickstart', 'policy.yaml');
    const [verify, query, , replay] = linesWith('npx postern audit verify').map((line) =>
      line
        .replace('.postern/decisions', log)
        .replace('audit query', `audit query --dir ${log}`)
        .replace('proposed.yaml', `${proposed} --dir ${log}`),
    ) as [string, string, string, string];
    const ran = await Promise.all([run(verify, root), run(query, root), run(replay, root)]);
    expect(ran.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array(3).fill({ code: 0, stderr: expect.anything() }),
    );
    expect(ran[1]?.stdout).toMatch(/ denied {2}user:mallory read doc:roadmap /);
  });

  test('ends with 0 on Ctrl-C', async () => {
    // To the one process, which passes it on: a terminal would send it to all of them, and nothing would be passed on.
    sidecar.child.kill('SIGINT');
    await once(sidecar.child, 'close');
    expect(sidecar.child.exitCode).toBe(0);
  });
});

describe('a policy', () => {
  beforeAll(async () => {
    await writeFile(join(directory, 'policy.yaml'), blockWith(readme, 'yaml', '\nbindings:'));
    await writeFile(join(directory, 'policy.test.yaml'), blockWith(readme, 'yaml', '\ntests:'));
  });

  test.for(linesWith('npx postern validate').map((line) => [line] as const))('%s', async ([line]) => {
    expect(await run(line, directory)).toMatchObject({ code: 0, stderr: '' });
  });

  test('goes to Redis, is followed, comes back, and its denials are in the stream', async () => {
    const tenant = `readme-${process.pid}-${Date.now()}`;
    const here = (line: string) => line.replace('redis://localhost', sharedRedisUrl()).replace(/\bacme\b/, tenant);
    const [apply = '', serve = '', exporting = '', tail = ''] = linesWith('npx postern apply').map(here);
    // There is no terminal here on which the README's reader would say yes.
    expect(await run(apply, directory)).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
    expect(await run(`${apply} --yes`, directory)).toMatchObject({ code: 0, stderr: '' });

    const sidecar = watch(`${serve} ${freePorts.join(' ')} --log-format json`, directory);
    await vi.waitFor(() => expect(sidecar.stderr()).toContain('"msg":"ready"'), patience);
    const address = /"grpc":"([^"]+)"/.exec(sidecar.stderr())?.[1];
    const exported = run(`${exporting} > exported.yaml`, directory);
    const denied = run(`npx postern check user:mallory read doc:roadmap --address ${address}`, directory);
    expect(await denied).toMatchObject({ code: 1, stdout: expect.stringMatching(/^denied\nEXPLICIT_DENY /) });
    expect(await exported).toMatchObject({ code: 0 });
    expect(await readFile(join(directory, 'exported.yaml'), 'utf8')).toContain("role: editor, scope: 'folder:plans'");
    expect(await run('npx postern diff policy.yaml exported.yaml --exit-code', directory)).toMatchObject({ code: 0 });

    const tailing = watch(tail, directory);
    await vi.waitFor(() => expect(tailing.stdout()).toContain('denied  user:mallory read doc:roadmap'), patience);
    await end(tailing.child, 'SIGINT');
    await end(sidecar.child);
    expect(sidecar.child.exitCode).toBe(0);
  });

  test('is administered by whom the file of credentials names', async () => {
    const tenant = `readme-admin-${process.pid}-${Date.now()}`;
    const [token = '', grant = '', whoCan = '', history = ''] = linesWith('npx postern grant');
    const made = await run(token, directory);
    const entry = made.stderr.replace(/^(?! {2}).*\n/gm, '');
    await writeFile(join(directory, 'auth.yaml'), `version: 1\ntokens:\n${entry}`, { mode: 0o600 });
    const redis = `--redis ${sharedRedisUrl()} --tenant ${tenant}`;
    await run(`npx postern apply policy.yaml ${redis} --yes`, directory);
    const sidecar = watch(
      `npx postern serve ${redis} --admin-auth auth.yaml ${freePorts.join(' ')} --log-format json`,
      directory,
    );
    await vi.waitFor(() => expect(sidecar.stderr()).toContain('"msg":"ready"'), patience);
    const address = /"grpc":"([^"]+)"/.exec(sidecar.stderr())?.[1];
    const as = `POSTERN_ADDRESS=${address} POSTERN_TOKEN=${made.stdout.trim()}`;
    expect(await run(`${as} ${grant}`, directory)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('add --yes'),
    });
    expect(await run(`${as} ${grant} --yes`, directory)).toMatchObject({ code: 0, stderr: '' });
    expect((await run(`${as} ${whoCan}`, directory)).stdout).toMatch(
      /^user:carol +user:carol .*viewer on doc:roadmap/m,
    );
    expect((await run(`${as} ${history}`, directory)).stdout).toMatch(
      /^\S+ \S+ service:platform\n {2}\+ binding user:carol viewer/m,
    );
    await end(sidecar.child);
  });
});
