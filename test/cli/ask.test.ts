// The commands that ask, against a sidecar and against the file that it serves.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { examplePolicy } from './example-policy.ts';
import { postern, type Run } from './postern.ts';
import { startTestSidecar, type TestSidecar } from './sidecar.ts';

let sidecar: TestSidecar;
let directory = '';
let policy = '';

beforeAll(async () => {
  sidecar = await startTestSidecar(examplePolicy);
  directory = await mkdtemp(join(tmpdir(), 'postern-ask-'));
  policy = join(directory, 'policy.yaml');
  await writeFile(policy, examplePolicy);
});

afterAll(async () => {
  await sidecar.close();
  await rm(directory, { recursive: true });
});

/** What differs between any two answers. */
function withoutIds(run: Run): Run {
  const clean = (text: string) =>
    text
      .replaceAll(/decision \w+/g, 'decision ID')
      .replaceAll(/revision \S+/g, 'revision R')
      .replace(/(?<=^user:\S+ may .*: ).*$/m, 'SENTENCE');
  return { code: run.code, stdout: clean(run.stdout), stderr: clean(run.stderr) };
}

interface Case {
  readonly args: readonly string[];
  readonly code: number;
  readonly stdout: string;
  readonly stderr?: string;
}

const cases: readonly Case[] = [
  {
    args: ['check', 'user:alice', 'read', 'doc:42'],
    code: 0,
    stdout: 'allowed\nALLOWED by group:ops editor on folder:reports · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:carol', 'delete', 'doc:42'],
    code: 1,
    stdout: 'denied\nROLE_LACKS_PERMISSION, closest is group:ops editor on folder:reports · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:alice', 'read', 'doc:42', '--reach', 'exact'],
    code: 1,
    stdout: 'denied\nNO_ROLE · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:bob', 'app:create'],
    code: 0,
    stdout: 'allowed\nALLOWED by user:bob creator on * · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:frank', 'app:create', '--attribute', 'level=2'],
    code: 0,
    stdout: 'allowed\nALLOWED by user:frank creator on * · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:frank', 'app:create', '--attribute', 'level=1', '--attribute', 'name=x'],
    code: 1,
    stdout: 'denied\nCONDITION_NOT_MET, closest is user:frank creator on * · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:frank', 'app:create'],
    code: 2,
    stdout: '',
    stderr:
      'postern: the condition "context.level > 1" cannot be evaluated: field not found: level; send what it needs in context.attributes (CONDITION_FAILED)\n',
  },
  {
    args: ['check', '--group', 'group:sre', 'user:dave', 'read', 'doc:42'],
    code: 0,
    stdout: 'allowed\nALLOWED by group:ops editor on folder:reports · decision ID · revision R\n',
  },
  {
    args: ['check', 'user:carol', 'write', 'doc:42', '--active-role', 'viewer', '--active-role', 'creator'],
    code: 1,
    stdout: 'denied\nROLE_LACKS_PERMISSION, closest is group:ops editor on folder:reports · decision ID · revision R\n',
  },
  {
    args: ['explain', 'user:carol', 'read', 'doc:42'],
    code: 0,
    stdout: `allowed
ALLOWED by group:ops editor on folder:reports · decision ID · revision R
user:carol may read doc:42: SENTENCE
├─ subject  user:carol → group:sre → group:ops
├─ binding  group:ops editor on folder:reports
├─ role     editor → viewer: permits doc:read
└─ object   doc:42 → folder:reports
`,
  },
  {
    args: ['list-objects', 'user:carol', 'read', 'doc'],
    code: 0,
    stdout: 'doc:42\ndoc:43\n',
    stderr: 'also everything in scope doc:public-*\n',
  },
  { args: ['who-can', 'read', 'doc:42', '--type', 'user'], code: 0, stdout: 'user:alice\nuser:carol\n' },
  {
    args: ['who-can', 'write', 'doc:42', '--why'],
    code: 0,
    stdout: `user:alice  user:alice → group:ops → editor on folder:reports → doc:write
group:ops   group:ops → editor on folder:reports → doc:write
group:sre   group:sre → group:ops → editor on folder:reports → doc:write
user:carol  user:carol → group:sre → group:ops → editor on folder:reports → doc:write
`,
  },
  {
    args: ['what-can', 'user:carol', 'doc:42'],
    code: 0,
    stdout: `read   user:carol → group:sre → group:ops → editor on folder:reports → viewer → doc:read
write  user:carol → group:sre → group:ops → editor on folder:reports → doc:write
`,
  },
  { args: ['what-can', 'user:carol', 'doc:42', '--no-why'], code: 0, stdout: 'read\nwrite\n' },
  {
    args: ['what-can', 'user:frank', '--attribute', 'level=2'],
    code: 0,
    stdout: 'app:create  user:frank → creator on * if context.level > 1 → app:create\n',
  },
  // Nothing on stdout could as well be a command that did not work.
  { args: ['list-objects', 'user:carol', 'read', 'dog'], code: 0, stdout: '', stderr: 'no registered object\n' },
  { args: ['who-can', 'fly', 'doc:42', '--type', 'user'], code: 0, stdout: '', stderr: 'no subject by name\n' },
  { args: ['what-can', 'user:eve', 'doc:42'], code: 0, stdout: '', stderr: 'no action\n' },
];

describe('a question', () => {
  test.for(cases)(
    'to a sidecar and to the file prints the same: $args',
    async ({ args, code, stdout, stderr = '' }) => {
      const [asked, offline] = await Promise.all([
        postern(args, { env: { POSTERN_ADDRESS: sidecar.address } }),
        postern([...args, '--policy', policy]),
      ]);
      const shown = withoutIds(asked);
      expect(shown).toEqual({
        code,
        stdout,
        stderr,
      });
      expect(withoutIds(offline)).toEqual(shown);
    },
  );

  test('for machines is answered with the whole message, also what is false or empty', async () => {
    const { code, stdout } = await postern([
      'check',
      'user:eve',
      'read',
      'doc:42',
      '--json',
      '--address',
      sidecar.socket,
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      decision: {
        allowed: false,
        reason: 'REASON_NO_ROLE',
        binding: '',
        decisionId: expect.stringMatching(/^[0-9A-Z]{26}$/),
        enforcedAllowed: false,
      },
      revision: sidecar.revision,
      mode: 'MODE_ENFORCE',
      dataAgeMs: 0,
    });
  });

  test('about a list has the ways beside it, for machines', async () => {
    const env = { POSTERN_ADDRESS: sidecar.socket };
    const [who, what, bare] = await Promise.all([
      postern(['who-can', 'read', 'doc:42', '--type', 'user', '--why', '--json'], { env }),
      postern(['what-can', 'user:alice', 'doc:42', '--json'], { env }),
      postern(['who-can', 'read', 'doc:42', '--json'], { env }),
    ]);
    const way = { roles: ['editor', 'viewer'], permission: 'doc:read', scope: 'folder:reports' };
    expect(JSON.parse(who.stdout)).toMatchObject({
      subjects: ['user:alice', 'user:carol'],
      ways: { 'user:alice': way, 'user:carol': way },
    });
    expect(JSON.parse(what.stdout)).toMatchObject({ actions: ['read', 'write'], ways: { read: way } });
    expect(JSON.parse(bare.stdout)).not.toHaveProperty('ways');
  });

  test('for a list in pages says where to go on, and the pages make up the list', async () => {
    const args = ['list-objects', 'user:alice', 'read', 'doc', '--page-size', '1', '--address', sidecar.address];
    const first = await postern(args);
    const token = /--page-token (\S+)/.exec(first.stderr)?.[1] ?? '';
    const second = await postern([...args, '--page-token', token]);
    expect([first.stdout, second.stdout]).toEqual(['doc:42\n', 'doc:43\n']);
    expect(second.stderr).not.toContain('--page-token');
  });

  test('in mode shadow shows what enforcing would have said', async () => {
    const shadow = join(directory, 'shadow.yaml');
    await writeFile(shadow, examplePolicy.replace('version: 1', 'version: 1\nmode: shadow'));
    const { code, stdout } = await postern(['check', 'user:bob', 'read', 'doc:42', '--policy', shadow]);
    expect(code).toBe(0);
    expect(stdout).toContain('allowed (shadow mode: enforced, it would be denied)\n');
  });

  test('in colour holds the same words', async () => {
    const { stdout } = await postern(['check', 'user:alice', 'read', 'doc:42', '--policy', policy], {
      env: { FORCE_COLOR: '1' },
    });
    expect(stdout).toContain('\u001b[32mallowed\u001b[39m');
  });
});

describe('what cannot be answered', () => {
  test("is the sidecar's own error, with its code and exit code", async () => {
    const { code, stdout, stderr } = await postern(['check', 'alice', 'read', 'doc:42', '--address', sidecar.address]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('postern: subject "alice" has no colon; write it as "type:id" (INVALID_SUBJECT)\n');
  });

  test('is JSON for machines, and a stack for who debugs', async () => {
    const args = ['check', 'user:alice', 'read', 'doc:42', '--at-least', 'e.7', '--json', '--debug'];
    const { code, stderr } = await postern([...args, '--address', sidecar.address]);
    expect(code).toBe(5);
    const [line = '', ...stack] = stderr.split('\n');
    expect(JSON.parse(line)).toMatchObject({ error: { code: 'REVISION_OF_OTHER_EPOCH' } });
    expect(stack.join('\n')).toContain('client.ts');
  });

  test('for want of a sidecar is told in one line that says what to do', async () => {
    const { code, stdout, stderr } = await postern([
      'check',
      'user:alice',
      'read',
      'doc:42',
      '--address',
      'unix:/nowhere.sock',
    ]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^postern: cannot reach a sidecar at unix:\/nowhere\.sock \(ENOENT\); start one with .*\n$/);
  });

  test('within the time that was given is no denial', async () => {
    const next = `${sidecar.revision.split('.')[0]}.99`;
    const args = ['check', 'user:alice', 'read', 'doc:42', '--at-least', next, '--timeout', '300ms'];
    const { code, stdout } = await postern([...args, '--address', sidecar.address]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  });
});

describe('health', () => {
  test('is 0 where the sidecar serves, and 1 where it has no policy', async () => {
    const empty = await startTestSidecar(undefined);
    try {
      const [serving, waiting] = await Promise.all([
        postern(['health', '--address', sidecar.address]),
        postern(['health', '--address', empty.address, '--json']),
      ]);
      expect(serving).toMatchObject({ code: 0, stdout: 'SERVING\n' });
      expect(waiting).toMatchObject({ code: 1, stdout: '{"status":"NOT_SERVING"}\n' });
    } finally {
      await empty.close();
    }
  });
});
