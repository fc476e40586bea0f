/**
 * A writer that commits at a fixed rate, whether commits return or not: node bench/writer.ts REDIS_URL RATE BINDINGS [TENANT].
 * Told "start" and "stop" by its parent; at "stop" it sends how many commits it made.
 */
import type { Change } from '../src/model/change.ts';
import { type EntityRecord, entityKey } from '../src/model/entity.ts';
import { createRedisStore } from '../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../src/store/redis/target.ts';
import { createRandom, sized } from './graphs.ts';
import { pace } from './pace.ts';

const [url, rate, bindings, tenant = 'default'] = process.argv.slice(2) as [string, string, string, string?];
const store = createRedisStore(parseRedisUrl(url));
const changes = randomChanges(Number(bindings));
const pending = new Set<Promise<unknown>>();
let committed = 0;
let stop = () => {};

/** One binding put and deleted again, one membership, one object that moves, over and over: the graph stays as large as it is. */
function* randomChanges(count: number): Generator<Change, never> {
  const size = sized(count);
  const random = createRandom(3);
  const folders = Math.ceil(size.objects / 20);
  const anyUser = () => `user:u${random(size.users)}`;
  const anyFolder = () => `folder:f${random(folders)}`;
  const anyDoc = () => `doc:d${folders + random(size.objects - folders)}`;
  for (let i = 0; ; i++) {
    const subject = `user:new${i}`;
    const binding: EntityRecord = { kind: 'binding', subject, role: `role${random(size.roles)}`, scope: anyDoc() };
    yield { op: 'put', record: binding };
    yield { op: 'put', record: { kind: 'member', group: `group:g${random(size.groups)}`, member: anyUser() } };
    yield { op: 'put', record: { kind: 'object', object: anyDoc(), parents: [{ object: anyFolder() }] } };
    yield { op: 'delete', kind: 'binding', key: entityKey(binding) };
  }
}

function commit(): void {
  const commit = store.commit(tenant, [changes.next().value]).then(() => {
    committed++;
    pending.delete(commit);
  });
  pending.add(commit);
}

process.on('message', async (message) => {
  if (message === 'start') {
    committed = 0;
    stop = pace(Number(rate), commit);
    process.send?.('started');
    return;
  }
  stop();
  await Promise.all(pending);
  process.send?.(committed);
});
process.on('disconnect', () => process.exit());
