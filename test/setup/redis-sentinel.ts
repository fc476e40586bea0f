// A primary with replicas and the Sentinels that watch them, as real processes of a test, quick to notice and to act.
// Called by test files. The processes are redis-server.ts's, and end as those do.
import { asAdmin, untilTrue } from './redis-admin.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.ts';

export interface SentinelOptions {
  /** Default 2. */
  readonly replicas?: number;
  /** Default 3, of which a majority has to agree. */
  readonly sentinels?: number;
  /** For the primary and its replicas; with TLS, the Sentinels speak it, too. */
  readonly server?: RedisOptions;
  /** Before the Sentinels themselves: `{ requirepass: '...' }`. */
  readonly sentinelConfig?: Readonly<Record<string, string>>;
  /** What the Sentinels send to the servers before they watch them: auth-user and auth-pass. */
  readonly credentials?: Readonly<Record<string, string>>;
}

export interface RedisSentinel {
  /** In Postern's form: every Sentinel, and the name of the primary. */
  readonly url: string;
  /** The servers that hold data; which of them is the primary changes. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The server that most Sentinels call the primary now. */
  primary(): Promise<RedisServer>;
  /** The others. */
  replicas(): Promise<readonly RedisServer[]>;
  /** Has the Sentinels promote a replica while the primary lives, and waits until they all say so. */
  failOver(): Promise<RedisServer>;
  /** Waits until another server than this is the primary and says so itself, for example after `kill()`. */
  untilPrimaryIsNot(server: RedisServer): Promise<RedisServer>;
  /** From here on what is committed reaches no replica, until `resumeReplication()`. */
  stopReplication(): Promise<void>;
  resumeReplication(): Promise<void>;
  /** Waits until every replica has all that the primary has. */
  untilReplicated(): Promise<void>;
  /** Waits until no failover goes on, and until every server but those that are away follows the primary, and has all that it has. */
  untilInOrder(away?: readonly RedisServer[]): Promise<void>;
  stop(): Promise<void>;
}

const name = 'primary';
const downAfterMs = 400;
/** A Sentinel that says nothing for so long is passed over when all are asked. */
const frozenMs = 1000;
/** Sentinels that disagreed, or a failover that was broken off, take several of their timeouts to put things right. */
const repairedMs = 60_000;

export async function startSentinel(options: SentinelOptions = {}): Promise<RedisSentinel> {
  const { replicas = 2, sentinels: wanted = 3, server = {}, sentinelConfig = {} } = options;
  const tls = server.tls === undefined ? {} : { tls: server.tls };
  const started: RedisServer[] = [];
  const start = async (each: RedisOptions) => {
    const one = await startRedis(each);
    started.push(one);
    return one;
  };
  const stop = async () => {
    await Promise.all(started.map((each) => each.stop()));
  };
  try {
    const [servers, sentinels] = await Promise.all([
      Promise.all(Array.from({ length: replicas + 1 }, () => start(toServer(server)))),
      Promise.all(
        Array.from({ length: wanted }, () =>
          start({ sentinel: true, config: sentinelConfig, ...tls, ...authOf(sentinelConfig.requirepass) }),
        ),
      ),
    ]);
    const setup = toSetup(servers, sentinels, sentinelConfig.requirepass, stop);
    await Promise.all(
      servers
        .slice(1)
        .map((each) => asAdmin(each.url, (admin) => admin.replicaof('127.0.0.1', (servers[0] as RedisServer).port))),
    );
    await setup.untilReplicated();
    await setup.watch(servers[0] as RedisServer, options);
    return setup;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Who may ask a Sentinel with a password whether it is ready. */
function authOf(password: string | undefined): RedisOptions {
  return password === undefined ? {} : { auth: { username: 'default', password } };
}

/** Replicas begin to copy at once, and ask again soon where they were cut off. */
function toServer(options: RedisOptions): RedisOptions {
  const config = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '1', ...options.config };
  return { ...options, config };
}

function toSetup(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
  password: string | undefined,
  stop: () => Promise<void>,
) {
  const ask = <T>(sentinel: RedisServer, ...words: [string, ...string[]]) =>
    asAdmin(
      password === undefined ? sentinel.url : sentinel.url.replace('//', `//:${password}@`),
      (admin) => admin.call(...words) as Promise<T>,
      frozenMs,
    );
  const tune = async (sentinel: RedisServer, publishPeriodMs: number) => {
    // While a failover lasts replicas are asked each second: five pings must be longer, or none is known well enough.
    const periods = { 'info-period': 100, 'ping-period': 300, 'publish-period': publishPeriodMs };
    // Since Redis 7; before that they take seconds to meet.
    await ask(sentinel, 'SENTINEL', 'DEBUG', ...Object.entries(periods).flat().map(String)).catch(() => {});
  };
  const named = async () => {
    const answers = await Promise.allSettled(
      sentinels.map((each) => ask<[string, string]>(each, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)),
    );
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [Number(answer.value[1])] : []));
  };
  const primary = async () => {
    const ports = await named();
    const found = servers.find(({ port }) => ports.filter((each) => each === port).length > sentinels.length / 2);
    if (found === undefined) throw new Error(`the Sentinels do not agree on a primary: ${ports.join(', ')}`);
    return found;
  };
  const replicas = async () => {
    const current = await primary();
    return servers.filter((each) => each !== current);
  };
  const untilPrimaryIsNot = async (old: RedisServer) => {
    let found = old;
    await untilTrue(`another primary than ${old.port}`, async () => {
      found = await primary();
      if (found === old || new Set(await named()).size !== 1) return false;
      return (await roleOf(found)) === 'master';
    });
    return found;
  };
  /** Whether every Sentinel is content with the primary. */
  const isQuiet = async () => {
    const flags = await Promise.all(
      sentinels.map(async (each) => fact(await ask(each, 'SENTINEL', 'MASTER', name), 'flags')),
    );
    return flags.every((each) => each === 'master');
  };
  const isInStep = async (replica: RedisServer, current: RedisServer) => {
    const [own, ofPrimary] = await Promise.all([replication(replica.url), replication(current.url)]);
    return (
      own.get('master_port') === String(current.port) &&
      own.get('master_link_status') === 'up' &&
      own.get('master_repl_offset') === ofPrimary.get('master_repl_offset')
    );
  };
  return {
    url: `${servers[0]?.url.startsWith('rediss:') ? 'rediss' : 'redis'}+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${name}`,
    servers,
    sentinels,
    primary,
    replicas,
    untilPrimaryIsNot,
    async failOver() {
      const old = await primary();
      // Refused until a Sentinel has heard enough of the replicas.
      await untilTrue(
        'a failover',
        async () => (await ask(sentinels[0] as RedisServer, 'SENTINEL', 'FAILOVER', name)) === 'OK',
      );
      const found = await untilPrimaryIsNot(old);
      // One that is not over hides the next: whoever leads it goes on calling the old one the primary.
      await untilTrue('the end of the failover', isQuiet);
      return found;
    },
    async stopReplication() {
      // By permission, because what a frozen replica has not read yet would still reach it.
      await asAdmin((await primary()).url, async (admin) => {
        await admin.acl('SETUSER', 'default', '-psync', '-sync');
        await admin.call('CLIENT', 'KILL', 'TYPE', 'replica');
      });
    },
    async resumeReplication() {
      await asAdmin((await primary()).url, (admin) => admin.acl('SETUSER', 'default', '+psync', '+sync'));
    },
    async untilReplicated() {
      const main = servers[0] as RedisServer;
      const current = await primary().catch(() => main);
      for (const each of servers) {
        if (each !== current) await untilTrue(`replica ${each.port} in step`, () => isInStep(each, current));
      }
    },
    async untilInOrder(away: readonly RedisServer[] = []) {
      const look = async () => {
        const current = await primary();
        const others = servers.filter((each) => each !== current && !away.includes(each));
        const inStep = await Promise.all(others.map((each) => isInStep(each, current)));
        const out = others.filter((_, i) => !inStep[i]).map(({ port }) => port);
        if (out.length > 0) throw new Error(`not in step with ${current.port}: ${out.join(', ')}`);
        return isQuiet();
      };
      await untilTrue('one primary and its replicas', look, repairedMs);
    },
    /** Tells every Sentinel what to watch, and waits until they know of the replicas and of each other. */
    async watch(first: RedisServer, { credentials = {} }: SentinelOptions) {
      const quorum = String(Math.floor(sentinels.length / 2) + 1);
      const settings = { 'down-after-milliseconds': String(downAfterMs), 'failover-timeout': '2000', ...credentials };
      for (const sentinel of sentinels) {
        await tune(sentinel, 50);
        await ask(sentinel, 'SENTINEL', 'MONITOR', name, '127.0.0.1', String(first.port), quorum);
        await ask(sentinel, 'SENTINEL', 'SET', name, ...Object.entries(settings).flat());
      }
      for (const sentinel of sentinels) {
        await untilTrue(`Sentinel ${sentinel.port} knows all others`, async () => {
          const flat = await ask<string[]>(sentinel, 'SENTINEL', 'MASTER', name);
          const replicaList = await ask<string[][]>(sentinel, 'SENTINEL', 'REPLICAS', name);
          const up = replicaList.filter((each) => fact(each, 'master-link-status') === 'ok');
          return Number(fact(flat, 'num-other-sentinels')) === sentinels.length - 1 && up.length === servers.length - 1;
        });
      }
      // Within four of these periods a Sentinel has to see the promotion that it ordered, or the others undo it.
      await Promise.all(sentinels.map((each) => tune(each, 1000)));
    },
    stop,
  };
}

async function roleOf({ url }: RedisServer): Promise<string | undefined> {
  return (await replication(url)).get('role');
}

async function replication(url: string): Promise<ReadonlyMap<string, string>> {
  const info = await asAdmin(url, (admin) => admin.info('replication'));
  return new Map(info.split('\r\n').map((line) => line.split(':', 2) as [string, string]));
}

/** A value of what a Sentinel answers: names and values in turn. */
function fact(flat: readonly string[], key: string): string | undefined {
  return flat[flat.indexOf(key) + 1];
}
