// How each fault is done to a primary, its replicas and its Sentinels, and ended. Most of them end in a failover, and
// what the replicas did not have by then is lost. Called by the run with Sentinels.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asAdmin } from '../setup/redis-admin.ts';
import { type RedisSentinel, startSentinel } from '../setup/redis-sentinel.ts';
import type { RedisServer } from '../setup/redis-server.ts';
import { done, type Ending, type Struck } from './run.ts';
import type { Step } from './schedule.ts';

export const sentinelFaultNames = [
  'none',
  'client kill normal',
  'client kill pubsub',
  'client kill replica',
  'a failover is ordered',
  'the primary is killed',
  'the primary is killed and comes back',
  'the primary and a Sentinel are killed',
  'the primary freezes',
  'the primary freezes for a moment',
  'the primary is cut off',
  'the last commits are lost',
  'a replica freezes',
  'a replica is killed',
] as const;
/** Those that lose commits for certain, or all but: a short run has time for no others. */
export const losingFaultNames: readonly SentinelFault[] = [
  'the primary freezes',
  'the primary is cut off',
  'the last commits are lost',
];
export type SentinelFault = (typeof sentinelFaultNames)[number];

/** The servers, and which of the replicas are away for longer than a step. */
export interface Watched {
  readonly sentinel: RedisSentinel;
  /** As clients reach it: by a user of their own. */
  readonly url: string;
  readonly away: Set<RedisServer>;
}

/** Clients; the servers and the Sentinels talk to each other as the default user. */
const client = 'client:s3cret';
const asClient = (url: string) => url.replace('//', `//${client}@`);

/** @param directory For a file that all servers read. */
export async function startWatched(directory: string): Promise<Watched> {
  const aclfile = join(directory, 'users.acl');
  const [name, password] = client.split(':');
  await writeFile(aclfile, `user default on nopass ~* &* +@all\nuser ${name} on >${password} ~* &* +@all\n`);
  const sentinel = await startSentinel({ server: { persistent: true, config: { aclfile } } });
  return { sentinel, url: asClient(sentinel.url), away: new Set() };
}

/** Strikes; what it returns ends the fault. */
export async function strikeWatched(
  { sentinel, away }: Watched,
  struck: Struck,
  step: Step<SentinelFault>,
): Promise<Ending> {
  await sentinel.untilInOrder([...away]);
  const primary = await sentinel.primary();
  const kill = (type: string) => onServer(primary, ['CLIENT', 'KILL', 'TYPE', type]);
  const killed: Ending = { when: 'with the step', end: () => replace(sentinel, primary) };
  /** Of one replica only, so that the other can take the place of the primary. */
  const awayForLong = async (leave: (replica: RedisServer) => unknown, comeBack: (replica: RedisServer) => unknown) => {
    const replica = (await sentinel.replicas())[step.victim % 2];
    if (replica === undefined || away.size > 0) return done;
    away.add(replica);
    await leave(replica);
    const end = async () => {
      await comeBack(replica);
      away.delete(replica);
    };
    return { when: 'later', end } as const;
  };
  const faults: Readonly<Record<SentinelFault, () => Promise<Ending>>> = {
    none: async () => done,
    'client kill normal': async () => {
      await kill('normal');
      return done;
    },
    'client kill pubsub': async () => {
      await kill('pubsub');
      return done;
    },
    'client kill replica': async () => {
      await kill('replica');
      return done;
    },
    'a failover is ordered': async () => {
      const ordered = sentinel.failOver();
      return { when: 'with the step', end: () => ordered };
    },
    'the primary is killed': async () => {
      let lives = true;
      const dying = primary.kill().then(() => {
        lives = false;
      });
      // In the middle of commits: of the last one nobody is told whether it was made.
      for (let i = 0; lives; i++) await struck.tryCommit(step.graph.slice(i % 8, (i % 8) + 1));
      await dying;
      return killed;
    },
    'the primary is killed and comes back': async () => {
      await primary.kill();
      await primary.restart();
      return done;
    },
    'the primary and a Sentinel are killed': async () => {
      const one = sentinel.sentinels[step.victim % sentinel.sentinels.length];
      await Promise.all([one?.kill(), primary.kill()]);
      const end = async () => {
        await sentinel.untilPrimaryIsNot(primary);
        await one?.restart();
        await replace(sentinel, primary);
      };
      return { when: 'with the step', end };
    },
    'the primary freezes': async () => {
      primary.pause();
      const end = async () => {
        await sentinel.untilPrimaryIsNot(primary);
        primary.resume();
      };
      return { when: 'with the step', end };
    },
    'the primary freezes for a moment': async () => {
      primary.pause();
      return { when: 'with the step', end: () => primary.resume() };
    },
    'the primary is cut off': async () => {
      await onServer(primary, ['ACL', 'SETUSER', 'default', 'nocommands'], ['CLIENT', 'KILL', 'USER', 'default']);
      const end = async () => {
        await sentinel.untilPrimaryIsNot(primary);
        // Some of its clients find the other one now, and both are written to, or answered from.
        if (step.settles) await kill('pubsub');
        await onServer(primary, ['ACL', 'SETUSER', 'default', '+@all']);
      };
      return { when: 'with the step', end };
    },
    'the last commits are lost': async () => {
      await sentinel.stopReplication();
      for (const changes of [step.graph, ...step.changeSets]) await struck.commit(changes);
      await primary.kill();
      return killed;
    },
    'a replica freezes': () =>
      awayForLong(
        (replica) => replica.pause(),
        (replica) => replica.resume(),
      ),
    'a replica is killed': () =>
      awayForLong(
        (replica) => replica.kill(),
        (replica) => replica.restart(),
      ),
  };
  return faults[step.fault]();
}

/** Gives orders to a server as one of its clients, whatever else it lets do. */
function onServer({ url }: RedisServer, ...orders: readonly (readonly [string, ...string[]])[]): Promise<void> {
  return asAdmin(asClient(url), async (admin) => {
    for (const order of orders) await admin.call(...(order as [string, ...string[]]));
  });
}

/** When another one is the primary, the one that was killed comes back as a replica of it, as a careful operator has it. */
async function replace(sentinel: RedisSentinel, killed: RedisServer): Promise<void> {
  const { port } = await sentinel.untilPrimaryIsNot(killed);
  await killed.restart();
  await onServer(killed, ['REPLICAOF', '127.0.0.1', String(port)]);
}
