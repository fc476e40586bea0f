/**
 * Connections to Redis, and the policy of each kind: one for commands, which
 * reconnects by itself with jitter and never sends a command twice, and one for
 * subscriptions, which never reconnects: follow.ts makes a new one, so that it
 * knows exactly when following is in force. Only this folder may import ioredis.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { PosternError } from '../../model/errors.ts';
import { backoffMs } from './backoff.ts';
import { at, connectionClosed, describeConnectionError, type PlacedError } from './connection-error.ts';
import { noConnectTimeout, nodeConnector, type StreamOptions } from './node-connector.ts';
import { commandOf, explainRefusal, isRefusal } from './refusal.ts';
import { primaryConnector } from './sentinels.ts';
import { describeTarget, type RedisTarget } from './target.ts';

/** Without what would change the types of replies. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/** Commands that this folder uses are the same on both. */
export type RedisClient = Redis | Cluster;

export interface ConnectionOptions {
  /** Certificate authorities, client certificate and key, as PEM; only for rediss. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** User of the Sentinels themselves, where they ask for one. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** How long a connection may take. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** How long Redis may be silent while it owes a reply; longer than the largest commit blocks it. Default 30000. */
  readonly replyTimeoutMs?: number;
}

/** A connection for commands. */
export interface Connection {
  readonly client: RedisClient;
  readonly description: string;
  /** As whom Redis knows it. */
  readonly user: string;
  /** Resolves when commands have a chance to be sent. @throws PosternError STORE_UNAVAILABLE */
  ready(): Promise<void>;
  /** The last thing that went wrong with the connection, for messages; empty while it stands. */
  lastError(): string;
  /** Begins anew, because the other end may be gone without a word: what is in flight fails. */
  restart(reason: string): void;
  close(): void;
}

const defaultConnectTimeoutMs = 5000;
const defaultReplyTimeoutMs = 30_000;
/** A connection that is given up is waited for so long: one that is half open never says goodbye. */
const disconnectTimeoutMs = 200;

/** Opens a connection for commands; it connects when first used. */
export function connect(target: RedisTarget, options: ConnectionOptions = {}): Connection {
  const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  const description = describeTarget(target);
  const user = target.username ?? 'default';
  let lastError = '';
  const note = (error: PlacedError, node?: string) => {
    // A Cluster tells what happened to each node, and then that something happened.
    if (lastError !== '' && (error.message === connectionClosed || 'lastNodeError' in error)) return;
    if (node !== undefined) error.place ??= node;
    lastError = isRefusal(error.message)
      ? at(error, explainRefusal(error.message, user, commandOf(error)))
      : describeConnectionError(error, tlsOf(target, options));
  };
  const client = target.kind === 'cluster' ? clusterOf(target, options, note) : singleOf(target, options);
  client.on('error', note);
  client.on('node error', note);
  client.on('ready', () => {
    lastError = '';
  });
  let closed = false;
  let waiting: Promise<unknown> | undefined;
  return {
    client,
    description,
    user,
    lastError: () => lastError,
    restart(reason) {
      // While it waits for its next try there is nothing to give up.
      if (!['connecting', 'connect', 'ready'].includes(client.status)) return;
      lastError = reason;
      client.disconnect(true);
    },
    async ready() {
      if (closed) throw new PosternError('STORE_UNAVAILABLE', `${description}: the store is closed`);
      // It ends for good where no Sentinel can name the primary, so that commands fail then: begin anew.
      if (client.status === 'end' || client.status === 'wait') client.connect().catch(() => {});
      // A single client fails queued commands when it cannot connect; a Cluster would keep them for ever.
      if (!(client instanceof Cluster) || client.status === 'ready') return;
      waiting ??= once(client, 'ready', { signal: AbortSignal.timeout(connectTimeoutMs) }).finally(() => {
        waiting = undefined;
      });
      await waiting.catch(() => {
        // Whom it asked where everything is may be frozen: it asks anew, and chooses among the nodes at random.
        if (client.status === 'connect') client.disconnect(true);
        throw new PosternError('STORE_UNAVAILABLE', `${description} is not reachable: ${lastError || 'no answer'}`);
      });
    },
    close() {
      closed = true;
      client.disconnect();
    },
  };
}

/** Makes a connection for subscriptions; it connects when told to, once. `attempt` chooses among the nodes of a Cluster. */
export function createSubscriber(
  target: RedisTarget,
  options: ConnectionOptions,
  attempt: number,
  replyTimeoutMs: number,
): Redis {
  const once = {
    lazyConnect: true,
    retryStrategy: null,
    autoResubscribe: false,
    commandTimeout: replyTimeoutMs,
    // Where the connection stands, but what greets the server is not answered.
    socketTimeout: replyTimeoutMs,
  };
  if (target.kind !== 'cluster') {
    // Each attempt has a connection of its own, which begins with the next Sentinel.
    const first = (attempt - 1) % target.nodes.length;
    const nodes = [...target.nodes.slice(first), ...target.nodes.slice(0, first)];
    return new Redis({ ...redisOptions(target, options), ...addressOf({ ...target, nodes }, options), ...once });
  }
  // Every node of a Cluster hears every message, so any will do; another one is tried after a loss.
  const node = target.nodes[attempt % target.nodes.length];
  return new Redis({ ...redisOptions(target, options), ...node, ...once });
}

/** A connection that owes no reply, as the stream under it. */
export interface OpenStream {
  readonly stream: Duplex;
  /** Of the server that it reaches: as runIdOf. */
  readonly runId: string;
  /** How long it may be silent while it owes a reply. */
  readonly replyTimeoutMs: number;
  close(): void;
}

/**
 * Connects to one server, or to the primary that Sentinels name, and hands over the stream: for whoever reads replies
 * by himself. The client must not be asked for anything after that.
 * @throws what the client throws
 */
export async function openStream(target: RedisTarget, options: ConnectionOptions): Promise<OpenStream> {
  const { socketTimeout, ...others } = redisOptions(target, options);
  const client = new Redis({
    ...others,
    ...addressOf(target, options),
    lazyConnect: true,
    retryStrategy: null,
  });
  client.on('error', () => {}); // Whoever reads the stream hears of it, too.
  await client.connect();
  const runId = await runIdOf(client).catch((error) => {
    client.disconnect();
    throw error;
  });
  const { stream } = client;
  stream.removeAllListeners('data');
  return {
    stream,
    runId,
    replyTimeoutMs: options.replyTimeoutMs ?? defaultReplyTimeoutMs,
    close: () => client.disconnect(),
  };
}

/** What tells a server process from every other one, whatever address it is reached by. @throws what the client throws */
export async function runIdOf(client: RedisClient): Promise<string> {
  return /^run_id:(\w+)/m.exec(await client.info('server'))?.[1] ?? '';
}

function singleOf(target: RedisTarget, options: ConnectionOptions): Redis {
  return new Redis({
    ...redisOptions(target, options),
    ...addressOf(target, options),
    lazyConnect: true,
    retryStrategy: (attempt: number) => backoffMs(attempt),
    // After a failover the old primary refuses writes: look again for the new one.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  });
}

function clusterOf(target: RedisTarget, options: ConnectionOptions, onError: (error: PlacedError) => void): Cluster {
  return new Cluster([...target.nodes], {
    redisOptions: redisOptions(target, options, onError),
    lazyConnect: true,
    clusterRetryStrategy: (attempt: number) => backoffMs(attempt),
    // A command that was cut off may have been carried out: it is never sent again by itself.
    retryDelayOnFailover: 0,
    // The name is what a certificate is for: it must not become an address before the connection is made.
    dnsLookup: (name, done) => done(null, name),
  });
}

/** Undefined without TLS. */
export function tlsOf(target: RedisTarget, { tls }: ConnectionOptions): ConnectionOptions['tls'] | undefined {
  return target.tls ? { ...tls } : undefined;
}

function addressOf(target: RedisTarget, options: ConnectionOptions): Options {
  const db = target.db;
  if (target.kind === 'single') return { ...target.nodes[0], db };
  const Connector = primaryConnector({
    ...streamOptions(target, options),
    sentinels: target.nodes,
    primary: target.primary,
    username: options.sentinelUsername,
    password: options.sentinelPassword,
  });
  return { db, Connector };
}

function streamOptions(target: RedisTarget, options: ConnectionOptions): StreamOptions {
  const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  return { tls: tlsOf(target, options), connectTimeoutMs, disconnectTimeoutMs };
}

function redisOptions(
  target: RedisTarget,
  options: ConnectionOptions,
  onError?: (error: PlacedError) => void,
): Options {
  return {
    connectionName: 'postern',
    // Redis before 7.2 does not know the command, and an ACL for all versions cannot name it.
    disableClientInfo: true,
    Connector: nodeConnector(streamOptions(target, options), onError),
    ...noConnectTimeout,
    socketTimeout: options.replyTimeoutMs ?? defaultReplyTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    // Both together: what was sent and not answered fails when the connection breaks, and is not sent again.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    // The connector's, and by this the client knows when it stands.
    ...(target.tls ? { tls: { ...options.tls } } : {}),
  };
}
