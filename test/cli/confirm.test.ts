// What was confirmed is what is done: on a real terminal, and where others commit in between.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Outcome, type Proposal, propose } from '../../src/cli/commit.ts';
import type { RecordChange } from '../../src/gen/postern/v1/policy_pb.ts';
import { PosternError } from '../../src/model/errors.ts';
import { adminPolicy } from './admin-policy.ts';
import { postern } from './postern.ts';
import { startTestSidecar, type TestSidecar } from './sidecar.ts';
import { hasTerminal, onTerminal } from './terminal.ts';

describe.skipIf(!hasTerminal)('on a terminal', () => {
  let sidecar: TestSidecar;
  let env: Record<string, string>;
  beforeEach(async () => {
    sidecar = await startTestSidecar(adminPolicy, { signIn: ['service:operator', 'user:alice'] });
    env = { POSTERN_ADDRESS: sidecar.socket, POSTERN_TOKEN: sidecar.tokens['user:alice'] ?? '' };
  });
  afterEach(() => sidecar.close());

  const grant = ['share', 'doc:1', 'user:eve', 'viewer', '--tenant', 'default'];
  const bindings = async () => (await postern(['bindings', '--object', 'doc:1'], { env })).stdout;

  test('yes commits', async () => {
    const { code, text } = await onTerminal(grant, env, async () => 'y\n');
    expect(text).toContain('+ binding user:eve viewer on doc:1 (widens access)\n');
    expect(text).toContain('Commit this to tenant default? [y/N]');
    expect(text).toMatch(/committed 1 change: revision \w+\.2\.\w+\n$/);
    expect(code).toBe(0);
  });

  test.for([
    ['another key', 'x\n', 1],
    ['the enter key alone', '\n', 1],
    ['the end of the input', '\u0004', 1],
    ['Ctrl-C', '\u0003', 130],
  ] as const)('%s does not', async ([, typed, expected]) => {
    const { code } = await onTerminal(grant, env, async () => typed);
    expect(code).toBe(expected);
    expect(await bindings()).not.toContain('user:eve');
  });

  test('yes to a plan that others have overtaken commits nothing, and says so', async () => {
    const { code, text } = await onTerminal(grant, env, async () => {
      const record = { kind: 'group', group: 'group:other' } as const;
      await sidecar.store.commit('default', [{ op: 'put', record }]);
      return 'y\n';
    });
    expect(text).toContain('(REVISION_CONFLICT)');
    expect(code).toBe(5);
    expect(await bindings()).not.toContain('user:eve');
  });

  test('a tenant is deleted when its name is typed, and not before', async () => {
    const operator = { ...env, POSTERN_TOKEN: sidecar.tokens['service:operator'] ?? '' };
    const args = ['tenants', 'delete', 'default'];
    expect(await onTerminal(args, operator, async () => 'y\n')).toMatchObject({ code: 1 });
    const { code, text } = await onTerminal(args, operator, async () => 'default\n');
    expect(text).toContain('deleted tenant default: ');
    expect(code).toBe(0);
  });
});

describe('a proposal', () => {
  let stdout = '';
  beforeEach(() => {
    stdout = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text, ...rest: unknown[]) => {
      stdout += String(text);
      for (const callback of rest) if (typeof callback === 'function') callback();
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  const change = (summary: string, widens: boolean) => ({ summary, widens }) as RecordChange;
  const conflict = () => new PosternError('REVISION_CONFLICT', 'somebody was faster');

  /** A tenant that somebody else commits to after each of the first plans. */
  function createSend(overtaken: number, widens: boolean): { send: Proposal['send']; calls: string[] } {
    const calls: string[] = [];
    let number = 1;
    let commits = 0;
    const send = async (dryRun: boolean, expected: string): Promise<Outcome> => {
      calls.push(`${dryRun ? 'plan' : 'commit'} at ${expected}`);
      if (expected !== '' && expected !== `e.${number}`) throw conflict();
      if (dryRun) return { revision: `e.${number}`, changes: [change('- binding a', widens)] };
      commits += 1;
      if (commits > overtaken) return { revision: `e.${number + 1}`, changes: [change('- binding a', widens)] };
      number += 1;
      throw conflict();
    };
    return { send, calls };
  }

  test('that asks nobody is planned again where others were faster, and shown once', async () => {
    const { send, calls } = createSend(2, false);
    await propose({ send, where: '', expected: '' }, {});
    expect(calls).toEqual(['plan at ', 'commit at e.1', 'plan at ', 'commit at e.2', 'plan at ', 'commit at e.3']);
    expect(stdout).toBe('- binding a\n1 change\ncommitted 1 change: revision e.4\n');
  });

  test('with --yes is, too', async () => {
    const { send, calls } = createSend(1, true);
    await propose({ send, where: '', expected: '' }, { yes: true });
    expect(calls).toHaveLength(4);
  });

  test('gives up after some times', async () => {
    const { send, calls } = createSend(100, false);
    await expect(propose({ send, where: '', expected: '' }, {})).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
    expect(calls).toHaveLength(10);
  });

  test('for one revision is never planned for another', async () => {
    const { send, calls } = createSend(1, false);
    await expect(propose({ send, where: '', expected: 'e.1' }, {})).rejects.toMatchObject({
      code: 'REVISION_CONFLICT',
    });
    expect(calls).toEqual(['plan at e.1', 'commit at e.1']);
  });
});
