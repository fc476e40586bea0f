/**
 * How the stream to a Redis, or to a Sentinel, is made. The client's own connectors lose what went wrong, or do not say
 * where, and hear only the first error of a stream: TLS may tell of a second one, which would end the process. Called by
 * connection.ts and sentinels.ts.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { PlacedError, TlsUsed } from './connection-error.ts';
import { formatNode, type RedisNode } from './target.ts';

/** The client's option of this name. */
export type Connector = NonNullable<RedisOptions['Connector']>;

export interface StreamOptions {
  /** Undefined without TLS. */
  readonly tls: TlsUsed | undefined;
  readonly connectTimeoutMs: number;
  /** How long the end of a connection that is given up is waited for. */
  readonly disconnectTimeoutMs: number;
}

/** Of the client's options, those that a connector of this file does the work of; the client's error names no place. */
export const noConnectTimeout = { connectTimeout: 0 } as const;

/**
 * To whatever host and port the client is made for.
 * @param onError Told what goes wrong, too: a Cluster asks where everything is by clients whose errors nobody hears.
 */
export function nodeConnector(options: StreamOptions, onError: (error: PlacedError) => void = () => {}): Connector {
  return class extends StreamConnector {
    readonly #node: RedisNode;

    constructor(ofClient: unknown) {
      super(options);
      this.#node = ofClient as RedisNode;
    }

    async connect(): Promise<Socket | TLSSocket> {
      return this.open(this.#node).on('error', onError);
    }
  };
}

export abstract class StreamConnector extends AbstractConnector {
  readonly #options: StreamOptions;

  constructor(options: StreamOptions) {
    super(options.disconnectTimeoutMs);
    this.#options = options;
  }

  protected open({ host, port }: RedisNode): Socket | TLSSocket {
    const { tls, connectTimeoutMs } = this.#options;
    const stream = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...tls });
    this.connecting = true;
    this.stream = stream;
    stream.on('error', (error: PlacedError) => {
      error.place = formatNode({ host, port });
      error.unanswered = stream.bytesRead === 0;
      this.firstError ??= error;
    });
    const giveUp = () => stream.destroy(Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(giveUp, connectTimeoutMs);
    stream.once(tls === undefined ? 'connect' : 'secureConnect', () => clearTimeout(timer));
    stream.once('close', () => clearTimeout(timer));
    return stream;
  }
}
