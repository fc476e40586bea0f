import { expect, test } from 'vitest';
import type { Replica } from '../../src/replica/replica.ts';
import { SnapshotBook } from '../../src/sidecar/snapshot-book.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const book = () => new SnapshotBook(createLogger({ level: 'silent', format: 'json' }));
const revision = { epoch: 'e', number: 3 };

/** A tenant's replica that was loaded once. */
function open(its: SnapshotBook, tenant: string, ageMs = 0): Replica {
  const replica = { tenant, current: { revision }, freshness: { ageMs: () => ageMs } } as unknown as Replica;
  its.watchOf(tenant).note({ kind: 'loaded', revision, tookMs: 1 });
  its.open(replica);
  return replica;
}

const facts = (its: SnapshotBook) => its.facts(() => 10);

test('ten thousand tenants are a hundred lines, and one for all the others', () => {
  const its = book();
  for (let i = 0; i < 10_000; i++) open(its, `t${i}`, i);
  const told = facts(its);
  expect(told.map(({ tenant }) => tenant)).toEqual([...Array.from({ length: 100 }, (_, i) => `t${i}`), '*']);
  expect(told[7]).toEqual({
    tenant: 't7',
    revision: 3,
    behindSeconds: 0.007,
    bytes: 10,
    loads: 1,
    applied: 0,
    failures: 0,
  });
  const rest = { loads: 9_900, applied: 0, failures: 0 };
  expect(told[100]).toEqual({ tenant: '*', revision: undefined, behindSeconds: 9.999, bytes: 99_000, ...rest });
});

test('what was counted stays when a tenant is let go, with a line of its own and without', () => {
  const its = book();
  const replicas = Array.from({ length: 102 }, (_, i) => open(its, `t${i}`, 60_000));
  for (const replica of replicas) its.close(replica, false);
  const gone = { revision: undefined, behindSeconds: 0, bytes: 0, applied: 0, failures: 0 };
  expect(facts(its)[0]).toEqual({ tenant: 't0', loads: 1, ...gone });
  expect(facts(its).at(-1)).toEqual({ tenant: '*', loads: 2, ...gone });
  open(its, 't0');
  open(its, 't101');
  expect([facts(its)[0]?.loads, facts(its).at(-1)?.loads]).toEqual([2, 3]);
});

test('the line of a tenant that was deleted goes, and another has it', () => {
  const its = book();
  const replicas = Array.from({ length: 100 }, (_, i) => open(its, `t${i}`));
  its.close(replicas[4] as Replica, true);
  open(its, 'new');
  const told = facts(its).map(({ tenant }) => tenant);
  expect([told.length, told.includes('t4'), told.includes('new'), told.includes('*')]).toEqual([
    100,
    false,
    true,
    false,
  ]);
});
