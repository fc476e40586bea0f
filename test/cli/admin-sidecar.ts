/** A sidecar with the policy of admin-policy.ts, new for each test, and the command line run against it as somebody. */
import { afterEach, beforeEach } from 'vitest';
import { adminPolicy } from './admin-policy.ts';
import { postern, type Run } from './postern.ts';
import { startTestSidecar, type TestSidecar } from './sidecar.ts';

export interface AdminSidecar {
  /** The one of the test that runs. */
  readonly current: TestSidecar;
  /** As one of user:alice (who may do all), user:bob, user:eve and service:operator. */
  as(who: string, ...args: readonly string[]): Promise<Run>;
  alice(...args: readonly string[]): Promise<Run>;
}

/** Called once a file, outside of tests. */
export function useAdminSidecar(): AdminSidecar {
  let sidecar: TestSidecar | undefined;
  beforeEach(async () => {
    sidecar = await startTestSidecar(adminPolicy, {
      signIn: ['service:operator', 'user:alice', 'user:bob', 'user:eve'],
    });
  });
  afterEach(() => sidecar?.close());
  const current = () => {
    if (sidecar === undefined) throw new Error('no test is running');
    return sidecar;
  };
  const as = (who: string, ...args: readonly string[]) => {
    const { socket, tokens } = current();
    return postern(args, { env: { POSTERN_ADDRESS: socket, POSTERN_TOKEN: tokens[who] ?? '' } });
  };
  return {
    get current() {
      return current();
    },
    as,
    alice: (...args) => as('user:alice', ...args),
  };
}

/** Lines of the result, without what differs between any two runs. */
export function lines({ stdout }: Run): string[] {
  return stdout
    .replaceAll(/revision \S+/g, 'revision R')
    .replaceAll(/until \d{4}-\S+Z/g, 'until T')
    .trimEnd()
    .split('\n');
}
