/**
 * A connection to whomever the Sentinels call the primary, asked anew each time. They are asked in turn, each attempt
 * beginning with the next one: one that is cut off from the others may name a primary of the past. Where none can say,
 * the error tells what each of them said. Called by connection.ts.
 */
import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import { connectionClosed, NoPrimaryError, withHint } from './connection-error.ts';
import {
  type Connector,
  noConnectTimeout,
  nodeConnector,
  StreamConnector,
  type StreamOptions,
} from './node-connector.ts';
import { formatNode, type RedisNode } from './target.ts';

export interface SentinelOptions extends StreamOptions {
  /** In the order in which they are asked first. */
  readonly sentinels: readonly RedisNode[];
  /** What they call the primary. */
  readonly primary: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

export function primaryConnector(options: SentinelOptions): Connector {
  return class extends PrimaryConnector {
    constructor() {
      super(options);
    }
  };
}

class PrimaryConnector extends StreamConnector {
  readonly #options: SentinelOptions;
  /** Those that were named, and those that they told of. */
  readonly #sentinels: RedisNode[];
  #asked = 0;
  #asking: Redis | undefined;

  constructor(options: SentinelOptions) {
    super(options);
    this.#options = options;
    this.#sentinels = [...options.sentinels];
  }

  /** @throws NoPrimaryError */
  async connect(): Promise<Socket> {
    this.connecting = true;
    const places = new Map<string, string[]>();
    for (let tries = this.#sentinels.length; tries > 0; tries--) {
      const sentinel = this.#sentinels[this.#asked++ % this.#sentinels.length] as RedisNode;
      try {
        const primary = await this.#ask(sentinel);
        if (this.connecting) return this.open(primary);
      } catch (error) {
        const problem = this.#explain(error as Error);
        places.set(problem, [...(places.get(problem) ?? []), formatNode(sentinel)]);
      }
      if (!this.connecting) throw new Error(connectionClosed);
    }
    throw new NoPrimaryError([...places].map(([problem, at]) => `${at.join(', ')}: ${problem}`).join('; '));
  }

  /** Whether it is a primary: for a while after a failover, a Sentinel may name one that is no longer. */
  override check({ role = 'master' }: { readonly role?: string }): boolean {
    return role === 'master';
  }

  override disconnect(): void {
    this.#asking?.disconnect();
    super.disconnect();
  }

  async #ask(sentinel: RedisNode): Promise<RedisNode> {
    const { primary } = this.#options;
    const client = new Redis({ host: sentinel.host, port: sentinel.port, ...this.#clientOptions() });
    this.#asking = client;
    let problem: Error | undefined;
    client.on('error', (error: Error) => {
      problem ??= error;
    });
    try {
      const reply = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primary)) as [string, string] | null;
      if (reply === null) throw new Error(`it watches no primary of the name "${primary}": see the end of --redis`);
      await this.#learn(client);
      return { host: reply[0], port: Number(reply[1]) };
    } catch (error) {
      // The command only says that the connection is gone.
      throw problem ?? error;
    } finally {
      client.disconnect();
    }
  }

  /** Adds those that it knows. It may not be allowed to tell; those that were named are enough then. */
  async #learn(client: Redis): Promise<void> {
    const replies = await client.call('SENTINEL', 'SENTINELS', this.#options.primary).catch(() => []);
    for (const facts of replies as string[][]) {
      const of = (name: string) => facts[facts.indexOf(name) + 1] ?? '';
      const found = { host: of('ip'), port: Number(of('port')) };
      const isKnown = this.#sentinels.some(({ host, port }) => host === found.host && port === found.port);
      if (!isKnown && found.port > 0 && !of('flags').includes('disconnected')) this.#sentinels.push(found);
    }
  }

  #clientOptions() {
    const { username, password, tls, connectTimeoutMs, disconnectTimeoutMs } = this.#options;
    return {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
      Connector: nodeConnector(this.#options),
      ...noConnectTimeout,
      commandTimeout: connectTimeoutMs,
      disconnectTimeout: disconnectTimeoutMs,
      disableClientInfo: true,
      enableReadyCheck: false,
      retryStrategy: null,
    } as const;
  }

  #explain(error: Error): string {
    const { username = 'default', tls } = this.#options;
    const { message } = error;
    if (message.startsWith('NOAUTH'))
      return 'it asks for a password: name it with --redis-sentinel-password-file (and --redis-sentinel-username)';
    if (message.startsWith('WRONGPASS'))
      return `${message.trim()}: check --redis-sentinel-username ("${username}" is used) and --redis-sentinel-password-file`;
    if (message.startsWith('NOPERM'))
      return `${message}: give the user "${username}" of the Sentinels +sentinel|get-master-addr-by-name`;
    return withHint(error, tls);
  }
}
