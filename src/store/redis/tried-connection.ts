/**
 * A connection that is tried before it is trusted. One that nobody used for a while may be gone without a word: a
 * firewall forgot it, or the machine behind it froze and another took its place. Called by redis-store.ts, which has
 * one for reads and one for commits. It must never break off a commit: nobody could tell how it ended.
 */
import type { Revision } from '../../model/change.ts';
import type { Connection } from './connection.ts';
import { readHead } from './history.ts';
import type { TenantKeys } from './keys.ts';

/** A connection that was not used for so long is tried first. */
const idleMs = 1000;

export class TriedConnection {
  readonly connection: Connection;
  /** How long Redis may owe an answer to what it answers at once, in milliseconds. */
  readonly #answerMs: number;
  #inFlight = 0;
  #usedMs = Number.NEGATIVE_INFINITY;

  constructor(connection: Connection, answerMs: number) {
    this.connection = connection;
    this.#answerMs = answerMs;
  }

  /**
   * Does the work, once the connection is there and answers.
   * @param keys Of the tenant that it is about: in a Cluster, that is asked of whoever holds them. Undefined does not ask.
   * @throws what the client and the work throw; PosternError STORE_UNAVAILABLE
   */
  async use<T>(keys: TenantKeys | undefined, work: () => Promise<T>): Promise<T> {
    await this.connection.ready();
    const isIdle = this.#inFlight === 0 && performance.now() - this.#usedMs > idleMs;
    if (isIdle && keys !== undefined && this.connection.client.status === 'ready')
      await this.#answer(readHead(this.connection.client, keys));
    this.#inFlight++;
    try {
      const result = await work();
      this.#usedMs = performance.now();
      return result;
    } finally {
      this.#inFlight--;
    }
  }

  /** The head of a tenant. @throws as `use`, within the time for an answer; only for a connection without commits */
  async head(keys: TenantKeys): Promise<Revision | undefined> {
    await this.connection.ready();
    return this.#answer(readHead(this.connection.client, keys));
  }

  /** Where Redis does not answer, the connection is begun anew, and that ends the wait. */
  async #answer<T>(reply: Promise<T>): Promise<T> {
    const giveUp = () => this.connection.restart(`no answer in ${this.#answerMs} ms`);
    const timer = setTimeout(giveUp, this.#answerMs);
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
    }
  }
}
