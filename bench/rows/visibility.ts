/** From a commit to its first answer, at ordinary size. */
import type { Change } from '../../src/model/change.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';
import { startRedis } from '../../test/setup/redis-server.ts';
import { timeVisibility } from '../commit-to-visible.ts';
import { randomGraph, sized } from '../graphs.ts';
import { percentile, type Row } from '../measure.ts';
import { startSidecar } from '../sidecar.ts';

const commits = 1_000;
const bindings = 10_000;

export async function visibilityRows(): Promise<Row[]> {
  const redis = await startRedis();
  const store = createRedisStore(parseRedisUrl(redis.url));
  const graph = [...randomGraph(sized(bindings))].map((record): Change => ({ op: 'put', record }));
  await store.commit('default', graph);
  const sidecar = await startSidecar('--redis', redis.url, '--decision-log=redis');
  const { commitMs, visibleMs } = await timeVisibility(store, sidecar.port, commits);
  await sidecar.stop();
  await store.close();
  await redis.stop();
  const p99 = percentile(visibleMs, 0.99);
  return [
    {
      what: 'commit to visible in a following sidecar, 10,000 bindings, p50 / p99',
      measured: `${percentile(visibleMs, 0.5).toFixed(1)} ms / ${p99.toFixed(1)} ms (the commit itself ${percentile(commitMs, 0.5).toFixed(1)} ms)`,
      atLeast: '10 ms (p99)',
      kept: p99 <= 10,
      how: `from before the commit until a Check with at_least, sent after it, is answered; writer, Redis and sidecar on the same two cores; ${commits} commits`,
    },
  ];
}
