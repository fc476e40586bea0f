// grant, revoke, share and transfer, against a sidecar of real parts: what they show, ask, write and refuse.
import { describe, expect, test } from 'vitest';
import { lines, useAdminSidecar } from './admin-sidecar.ts';

const sidecar = useAdminSidecar();
const { as, alice } = sidecar;

async function bindingsOn(object: string): Promise<string[]> {
  const { stdout } = await alice('bindings', '--object', object);
  return stdout.trimEnd().split('\n').toSorted();
}

describe('a change that widens access', () => {
  test('is shown, and not made, where there is nobody to ask', async () => {
    const { code, stdout, stderr } = await alice('grant', 'user:eve', 'viewer', '--on', 'doc:1');
    expect({ code, stdout }).toEqual({
      code: 2,
      stdout: '+ binding user:eve viewer on doc:1 (widens access)\n1 change, which widens access\n',
    });
    expect(stderr).toContain('add --yes to commit this plan, or --dry-run to stop after it (INVALID_OPTION)');
    expect(await bindingsOn('doc:1')).toEqual(['user:bob owner on doc:1', 'user:dave viewer on doc:1']);
  });

  test('is made with --yes, and kept in the history with its reason', async () => {
    const granted = await alice('grant', 'user:eve', 'viewer', '--on', 'doc:1', '--yes', '--why', 'ticket 7');
    expect(granted).toMatchObject({ code: 0, stderr: '' });
    expect(lines(granted).at(-1)).toBe('committed 1 change: revision R');
    const { stdout } = await alice('history', '-n', '1');
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^\w+\.2\.\w+ 2\S+Z user:alice: ticket 7$/),
      '  + binding user:eve viewer on doc:1',
    ]);
  });

  test('is shown and not made with --dry-run, also as JSON', async () => {
    const { code, stdout } = await alice('share', 'doc:1', 'user:eve', 'viewer', '--dry-run', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      revision: sidecar.current.revision,
      committed: false,
      changes: [
        { summary: '+ binding user:eve viewer on doc:1', widens: true, after: { binding: { role: 'viewer' } } },
      ],
    });
    expect(await bindingsOn('doc:1')).toHaveLength(2);
  });

  test('fails where the tenant is not at the revision that was expected', async () => {
    const args = ['grant', 'user:eve', 'viewer', '--on', 'doc:1', '--yes', '--expected'];
    expect(await alice(...args, sidecar.current.revision)).toMatchObject({ code: 0 });
    const late = await alice(...args, sidecar.current.revision);
    expect(late).toMatchObject({ code: 5, stdout: '' });
    expect(late.stderr).toContain('(REVISION_CONFLICT)');
  });
});

describe('a change that narrows access', () => {
  test('is made without asking', async () => {
    const revoked = await alice('revoke', 'user:dave', 'viewer', '--on', 'doc:1');
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(lines(revoked)).toEqual([
      '- binding user:dave viewer on doc:1',
      '1 change',
      'committed 1 change: revision R',
    ]);
  });

  test('of what is not there is an error, and taking back a denial asks', async () => {
    const [missing, denial] = await Promise.all([
      alice('revoke', 'user:dave', 'editor', '--on', 'doc:1'),
      alice('revoke', 'user:mallory', 'editor', '--on', '*', '--deny'),
    ]);
    expect(missing).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('(NOT_FOUND)') });
    expect(denial).toMatchObject({ code: 2, stdout: expect.stringContaining('(widens access)') });
  });
});

test('a change that is none says so, and writes nothing', async () => {
  const { code, stdout, stderr } = await alice('share', 'doc:1', 'user:dave', 'viewer');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'No changes.\n' });
  expect(stderr).toBe(`the tenant is at revision ${sidecar.current.revision}; nothing was written\n`);
});

test('options of a binding arrive, and are shown', async () => {
  const until = ['--until', '2099-01-01T00:00:00Z', '--name', 'n', '--note', 'why not', '--this-only'];
  await as(
    'service:operator',
    ...['grant', 'user:eve', 'viewer', '--on', 'doc:1', '--if', 'context.x > 1', '--locked', '--yes', ...until],
  );
  await alice('grant', 'user:eve', 'viewer', '--on', '{"type":"doc","regex":"a+"}', '--deny', '--until', '8h');
  const { stdout } = await alice('bindings', '--subject', 'user:eve');
  expect(stdout.split('\n').toSorted().slice(1)).toEqual([
    'user:eve viewer on doc:1 (n, until 2099-01-01T00:00:00Z, this only, if context.x > 1, locked)  # why not',
    expect.stringMatching(/^user:eve viewer on \{"type":"doc","regex":"a\+"\} \(deny, until \S+:\d\dZ\)$/),
  ]);
});

test('where a role is granted has to be said', async () => {
  const { code, stderr } = await alice('grant', 'user:eve', 'viewer');
  expect(code).toBe(2);
  expect(stderr).toContain("required option '--on <scope>' not specified");
});

describe('transfer', () => {
  test('hands a role over in one change set', async () => {
    const done = await alice('transfer', 'doc:1', '--to', 'user:carol', '--yes');
    expect(lines(done)).toEqual([
      '- binding user:bob owner on doc:1',
      '+ binding user:carol owner on doc:1 (widens access)',
      '2 changes, 1 of them widening access',
      'committed 2 changes: revision R',
    ]);
  });

  test('takes the other roles of the new holder with --only', async () => {
    await alice('transfer', 'doc:1', '--to', 'user:dave', '--only', '--yes');
    expect(await bindingsOn('doc:1')).toEqual(['user:dave owner on doc:1']);
  });

  test('wants to know from whom where several hold it, and does nothing where it is done already', async () => {
    await alice('share', 'doc:1', 'user:carol', 'owner', '--yes');
    const several = await alice('transfer', 'doc:1', '--to', 'user:dave', '--yes');
    expect(several).toMatchObject({ code: 2, stdout: '' });
    expect(several.stderr).toContain(
      '2 subjects have owner on doc:1; name one of them with --from: user:bob, user:carol',
    );
    expect(await alice('transfer', 'doc:1', '--from', 'user:bob', '--to', 'user:carol', '--yes')).toMatchObject({
      code: 0,
    });
    const again = await alice('transfer', 'doc:1', '--to', 'user:carol', '--yes');
    expect(again).toMatchObject({ code: 0, stderr: 'user:carol alone has owner on doc:1 already\n' });
    expect(await bindingsOn('doc:1')).toEqual(['user:carol owner on doc:1', 'user:dave viewer on doc:1']);
  });

  test('of a role that nobody has there names who has it', async () => {
    const nobody = await alice('transfer', 'doc:1', '--to', 'user:eve', '--role', 'editor');
    expect(nobody).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^postern: nobody has editor bound on doc:1 itself/),
    });
    const other = await alice('transfer', 'doc:1', '--to', 'user:eve', '--from', 'user:x');
    expect(other.stderr).toMatch(/^postern: only user:bob has owner bound on doc:1 itself/);
  });
});
