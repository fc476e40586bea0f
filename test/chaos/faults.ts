// How each fault is done to the one Redis of a chaos run, and ended. Those that take commits away hold the writer
// meanwhile and have the ledger brought up to date first. Called by the runs with a single Redis.
import type { Redis } from 'ioredis';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import { type RedisServer, startRedis } from '../setup/redis-server.ts';
import { commitUnheard, sendAgain } from './messages.ts';
import { done, type Ending, type Struck } from './run.ts';
import type { Step } from './schedule.ts';

export const faultNames = [
  'none',
  'the way is slow',
  'connections are reset',
  'connections are ended',
  'connections are refused',
  'the way is silent',
  'connections are stranded',
  'client kill normal',
  'client kill pubsub',
  'messages are lost',
  'messages come again',
  'redis stops',
  'redis is killed',
  'redis sleeps',
  'history is trimmed',
  'everything is flushed',
  'a backup is kept',
  'a backup is restored',
  'the last commits are lost',
  'a record is garbage',
] as const;
export type FaultName = (typeof faultNames)[number];

/** The Redis, and what was kept of it. */
export interface SingleRedis {
  readonly server: RedisServer;
  /** What was kept of the tenant, oldest first; each puts it back. */
  readonly backups: Backup[];
  /** When everything was flushed, the decision log with it, in milliseconds since 1970. */
  readonly flushes: number[];
}
type Backup = (redis: Redis) => Promise<unknown>;

/** A Redis that keeps what it has acknowledged, and can be told to sleep where its version lets it. */
export async function startSingleRedis(): Promise<SingleRedis> {
  const config = { 'enable-debug-command': 'local' };
  const server = await startRedis({ persistent: true, config }).catch(() => startRedis({ persistent: true }));
  return { server, backups: [], flushes: [] };
}

/** Strikes; what it returns ends the fault. */
export async function strike(
  { server, backups, flushes }: SingleRedis,
  struck: Struck,
  step: Step<FaultName>,
  way: FaultProxy,
): Promise<Ending> {
  const { tenant } = struck;
  const admin = <T>(use: (redis: Redis) => Promise<T>) => asAdmin(server.url, use, 15_000);
  const killAll = (redis: Redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  const restored: Ending = { when: 'later', end: () => way.restore() };
  const faults: Readonly<Record<FaultName, () => Promise<Ending>>> = {
    none: async () => done,
    'the way is slow': async () => {
      way.delay(step.lastsMs / 10);
      return restored;
    },
    'connections are reset': async () => {
      way.cut('reset');
      return done;
    },
    'connections are ended': async () => {
      way.cut('end');
      return done;
    },
    'connections are refused': async () => {
      await way.refuse();
      way.cut('reset');
      return restored;
    },
    'the way is silent': async () => {
      way.silence();
      return restored;
    },
    'connections are stranded': async () => {
      way.strand();
      return done;
    },
    'client kill normal': async () => {
      await admin((redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      return done;
    },
    'client kill pubsub': async () => {
      await admin(killAll);
      return done;
    },
    'messages are lost': async () => {
      await admin(async (redis) => {
        await commitUnheard(redis, tenant, step.graph, struck.sending(step.graph));
      });
      return done;
    },
    'messages come again': async () => {
      await admin((redis) =>
        sendAgain(redis, tenant, async () => {
          for (const changes of [...step.changeSets, step.graph]) await struck.commit(changes);
        }),
      );
      return done;
    },
    'redis stops': async () => {
      server.pause();
      return { when: 'with the step', end: () => server.resume() };
    },
    'redis is killed': async () => {
      await server.kill();
      return { when: 'with the step', end: () => server.restart() };
    },
    'redis sleeps': async () => {
      const sleeping = admin((redis) => redis.call('DEBUG', 'SLEEP', String(step.lastsMs / 1000)));
      return { when: 'with the step', end: () => sleeping };
    },
    'history is trimmed': async () => {
      await struck.readBack();
      await admin((redis) => redis.xtrim(tenantKeys(tenant).changes, 'MAXLEN', step.victim));
      return done;
    },
    'everything is flushed': async () => {
      await struck.readBack();
      await admin(async (redis) => {
        await redis.flushall();
        flushes.push(Date.now());
        if (step.settles) await killAll(redis);
      });
      await struck.commit(step.graph);
      return done;
    },
    'a backup is kept': async () => {
      backups.push(await admin((redis) => keep(redis, tenant)));
      return done;
    },
    'a backup is restored': async () => {
      const backup = backups[step.lastsMs % Math.max(1, backups.length)];
      await struck.readBack();
      if (backup !== undefined) {
        await admin(async (redis) => {
          await backup(redis);
          if (step.settles) await killAll(redis);
        });
      }
      return done;
    },
    'the last commits are lost': async () => {
      const back = await admin((redis) => keep(redis, tenant));
      for (const changes of [step.graph, ...step.changeSets]) await struck.commit(changes);
      await admin(async (redis) => {
        await back(redis);
        await killAll(redis);
      });
      return done;
    },
    'a record is garbage': async () => {
      const key = tenantKeys(tenant).records.role;
      const before = await admin(async (redis) => {
        const held = await redis.hget(key, 'r1');
        await redis.hset(key, 'r1', '{"kind":');
        await redis.xtrim(tenantKeys(tenant).changes, 'MAXLEN', 1);
        await killAll(redis);
        return held;
      });
      const mend = () =>
        admin((redis) => (before === null ? redis.hdel(key, 'r1') : redis.hset(key, 'r1', before)) as Promise<number>);
      return { when: 'before the commits', end: mend };
    },
  };
  return faults[step.fault]();
}

/** Keeps what Redis holds of the tenant; to be put back over any connection. */
async function keep(redis: Redis, tenant: string): Promise<Backup> {
  const { head, changes, recordList } = tenantKeys(tenant);
  const copies = await Promise.all([head, changes, ...recordList].map((key) => redis.dumpBuffer(key)));
  const dumps = new Map([head, changes, ...recordList].map((key, i) => [key, copies[i]]));
  return (later) => {
    const back = later.multi();
    for (const [key, dump] of dumps) {
      if (dump === undefined || dump === null) back.del(key);
      else back.restore(key, 0, dump, 'REPLACE');
    }
    return back.exec();
  };
}
