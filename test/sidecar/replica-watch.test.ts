import { expect, test, vi } from 'vitest';
import { graphOptions } from '../../src/condition/graph-options.ts';
import { PosternError } from '../../src/model/errors.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { ReplicaEvent } from '../../src/replica/state.ts';
import { ReplicaWatch } from '../../src/sidecar/replica-watch.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const revision = { epoch: 'e', number: 3 };
const loaded: ReplicaEvent = { kind: 'loaded', revision, tookMs: 1 };

/** What an operator reads at the level `info`: level and message of each line. */
function told(...events: ReplicaEvent[]): string[] {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const watch = new ReplicaWatch('default', createLogger({ level: 'info', format: 'json', stream }));
  for (const event of events) watch.note(event);
  return lines.map((line) => JSON.parse(line)).map(({ level, msg }) => `${level} ${msg}`);
}

test('a tenant that nobody has written is told once, with what to do', () => {
  const missing: ReplicaEvent = { kind: 'missing', held: undefined };
  expect(told(missing, missing)).toEqual([
    expect.stringMatching(/^error .*no policy of this tenant.*postern apply.*--tenant/),
  ]);
});

test('a store that was emptied is told once, with what is in force and what to do', () => {
  const missing: ReplicaEvent = { kind: 'missing', held: revision };
  expect(told(loaded, missing, missing).slice(1)).toEqual([
    expect.stringMatching(/^error .*any more, the last policy stays in force.*postern apply/),
  ]);
});

test('a problem is told once until something changes, and its end is told too', () => {
  const problem: ReplicaEvent = { kind: 'problem', error: new PosternError('STORE_CORRUPT', 'key x: is not JSON') };
  const current: ReplicaEvent = { kind: 'current', revision };
  expect(told(loaded, problem, problem, current, problem).slice(1)).toEqual([
    'error policy is not up to date: key x: is not JSON',
    'info policy is up to date again',
    'error policy is not up to date: key x: is not JSON',
  ]);
});

test('a store that cannot be followed says whether a policy is in force', () => {
  const lost: ReplicaEvent = { kind: 'disconnected', reason: 'cut' };
  expect(told(lost, loaded, lost)).toEqual([
    'warn the store is not followed, there is no policy yet: cut',
    'info policy loaded',
    'warn the store is not followed, the last policy stays in force: cut',
  ]);
});

test('a tenant without a policy is behind since it was looked for, and one with it is not', async () => {
  const store = createMemoryStore();
  const fixed = { graph: graphOptions, compareIntervalMs: 1e6, retryMs: 1, now: Date.now, onEvent: () => {} };
  let nowMs = 4_000;
  const replica = new Replica({ store, tenant: 'default', monotonicNow: () => nowMs, ...fixed });
  const watch = new ReplicaWatch('default', createLogger({ level: 'silent', format: 'json' }));
  await replica.attempted;
  nowMs = 9_000;
  expect(watch.facts(replica, 7)).toMatchObject({ revision: 0, behindSeconds: 5 });
  await store.commit('default', []);
  await vi.waitFor(() => expect(watch.facts(replica, 7)).toMatchObject({ revision: 1, behindSeconds: 0, bytes: 7 }));
  await replica.close();
  await store.close();
});
