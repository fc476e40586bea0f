// How each fault of the schedule is done to the Redis of a chaos run, and ended. Those that take commits away hold the
// writer meanwhile and have the ledger brought up to date first. Called by chaos.test.ts.
import type { Redis } from 'ioredis';
import type { Change } from '../../src/model/change.ts';
import { tenantKeys } from '../../src/store/redis/keys.ts';
import type { FaultProxy } from '../setup/fault-proxy.ts';
import { asAdmin } from '../setup/redis-admin.ts';
import type { RedisServer } from '../setup/redis-server.ts';
import type { FaultName, Step } from './schedule.ts';

export interface Struck {
  readonly server: RedisServer;
  readonly tenant: string;
  /** Brings the ledger up to date. */
  readonly readBack: () => Promise<void>;
  /** Commits and brings the ledger up to date; for when Redis is there. */
  readonly commit: (changes: readonly Change[]) => Promise<void>;
  /** What was kept of the tenant, oldest first; each puts it back. */
  readonly backups: Backup[];
}
type Backup = (redis: Redis) => Promise<unknown>;

/** When a fault ends: with its step, before the step's commits, or some steps later. */
export interface Ending {
  readonly when: 'at once' | 'with the step' | 'later';
  readonly end: () => unknown;
}

const done: Ending = { when: 'at once', end: () => {} };

/** Strikes; what it returns ends the fault. */
export async function strike(struck: Struck, step: Step, way: FaultProxy): Promise<Ending> {
  const { server, tenant, backups } = struck;
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
        if (step.settles) await killAll(redis);
      });
      await struck.commit(step.graph.map((record) => ({ op: 'put', record })));
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
      for (const changes of step.changeSets) await struck.commit(changes);
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
      return { when: 'with the step', end: mend };
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
