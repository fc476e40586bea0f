/**
 * Follows tenants over pub/sub. One connection serves all followers of a store;
 * a new one is made after each loss, with jitter. A heartbeat finds connections
 * that are open at this end only. It must never read the graph: it says what
 * arrived, and when something may have been missed.
 */
import type { Redis } from 'ioredis';
import type { ChangeSet, Revision } from '../../model/change.ts';
import { messageOf, PosternError, toPosternError } from '../../model/errors.ts';
import type { Pulse, StoreListener, Subscription } from '../store.ts';
import { backoffMs } from './backoff.ts';
import { parseMessage } from './decode.ts';
import { Inbox } from './inbox.ts';

export interface FollowerOptions {
  /** Makes a connection that ends at its first failure; `attempt` counts from 1. */
  readonly createClient: (attempt: number) => Redis;
  /** Pause between an answered heartbeat and the next. */
  readonly heartbeatMs: number;
  /** A heartbeat was not answered: other connections to the same Redis may be half open, too. */
  readonly onSilence: () => void;
  /** Words for what went wrong with a connection. */
  readonly describe: (error: Error) => string;
  /** Words for a refusal of the user by Redis, as opposed to a loss; undefined for anything else. */
  readonly toRefusal: (message: string) => PosternError | undefined;
}

interface Entry {
  readonly listener: StoreListener;
  /** The session in which it was told that it is connected. */
  connectedIn: Session | undefined;
  /** Whether it was told of the loss that lasts. */
  toldOfLoss: boolean;
}

/** One connection's life. */
interface Session {
  readonly client: Redis;
  heartbeat: NodeJS.Timeout | undefined;
  /** What went wrong last, for the reason. */
  problem: string;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'open'; readonly session: Session }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'closed' };

/** How late the answer to a heartbeat may be before it is missed, in milliseconds; the connection is given up later. */
const lateMs = 1_000;

export class RedisFollower {
  readonly #options: FollowerOptions;
  /** Of the one connection, for all who follow. */
  readonly #pulse: { -readonly [Field in keyof Pulse]: Pulse[Field] };
  readonly #channels = new Map<string, Set<Entry>>();
  #state: State = { kind: 'idle' };
  /** Attempts since following was last in force. */
  #attempts = 0;
  /** The refusal that was told last since following was in force: each attempt meets it again. */
  #refusal = '';

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#pulse = { lastMs: performance.now(), mostMs: options.heartbeatMs + lateMs };
  }

  follow(channel: string, listener: StoreListener): Subscription {
    if (this.#state.kind === 'closed') throw new PosternError('STORE_UNAVAILABLE', 'the store is closed');
    const entry: Entry = { listener, connectedIn: undefined, toldOfLoss: false };
    const entries = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, entries.add(entry));
    if (this.#state.kind === 'idle') this.#open();
    else if (this.#state.kind === 'open') void this.#subscribe(this.#state.session, channel);
    return { pulse: this.#pulse, close: async () => this.#remove(channel, entries, entry) };
  }

  close(): void {
    this.#channels.clear();
    this.#end();
    this.#state = { kind: 'closed' };
  }

  #remove(channel: string, entries: Set<Entry>, entry: Entry): void {
    if (!entries.delete(entry) || entries.size > 0 || this.#channels.get(channel) !== entries) return;
    this.#channels.delete(channel);
    if (this.#channels.size === 0 && this.#state.kind !== 'closed') this.#end();
    else if (this.#state.kind === 'open') this.#state.session.client.unsubscribe(channel).catch(() => {});
  }

  #open(): void {
    this.#attempts++;
    const session: Session = { client: this.#options.createClient(this.#attempts), heartbeat: undefined, problem: '' };
    this.#state = { kind: 'open', session };
    const { client } = session;
    client.on('error', (error: Error) => {
      session.problem = this.#options.describe(error);
    });
    client.on('end', () => this.#lose(session, session.problem || 'the connection was closed'));
    const inbox = new Inbox((channel, text) => this.#deliver(session, channel, text));
    client.on('message', (channel: string, text: string) => {
      if (!this.#isCurrent(session)) return;
      this.#live();
      inbox.put(channel, text);
    });
    client.connect().then(
      () => {
        for (const channel of this.#channels.keys()) void this.#subscribe(session, channel);
        this.#beat(session);
      },
      (error: Error) => this.#lose(session, session.problem || this.#options.describe(error)),
    );
  }

  async #subscribe(session: Session, channel: string, attempt = 1): Promise<void> {
    // Before that, the session will come to it by itself.
    if (session.client.status !== 'ready') return;
    try {
      await session.client.subscribe(channel);
    } catch (error) {
      const reason = messageOf(error);
      const refusal = this.#isCurrent(session) ? this.#options.toRefusal(reason) : undefined;
      if (refusal === undefined) this.#lose(session, reason);
      else this.#retry(session, channel, attempt, reason, refusal);
      return;
    }
    if (!this.#isCurrent(session)) return;
    this.#live();
    this.#attempts = 0;
    this.#refusal = '';
    for (const entry of this.#channels.get(channel) ?? []) {
      if (entry.connectedIn === session) continue;
      entry.connectedIn = session;
      entry.toldOfLoss = false;
      entry.listener.onConnected();
    }
  }

  /** Redis refuses one channel: the connection stands, and those of others are followed over it. */
  #retry(session: Session, channel: string, attempt: number, reason: string, refusal: PosternError): void {
    for (const entry of this.#channels.get(channel) ?? []) {
      tellOfLoss(entry, reason);
      if (attempt === 1) entry.listener.onProblem?.(refusal);
    }
    const again = () => {
      if (this.#isCurrent(session) && this.#channels.has(channel)) void this.#subscribe(session, channel, attempt + 1);
    };
    setTimeout(again, backoffMs(attempt)).unref();
  }

  #deliver(session: Session, channel: string, text: string): void {
    if (!this.#isCurrent(session)) return;
    const listeners: StoreListener[] = [];
    for (const entry of this.#channels.get(channel) ?? []) {
      // One that has just come may hear nothing before it was told that it is connected.
      if (entry.connectedIn === session) listeners.push(entry.listener);
    }
    const message = parsedOrProblem(text, channel);
    for (const listener of listeners) {
      if (message instanceof PosternError) listener.onProblem?.(message);
      else if ('changes' in message) listener.onChangeSet(message);
      else listener.onHead(message);
    }
  }

  #live(): void {
    this.#pulse.lastMs = performance.now();
  }

  /** The session has just given a sign of life; the next one is asked for after a pause. */
  #beat(session: Session): void {
    if (!this.#isCurrent(session)) return;
    this.#live();
    session.heartbeat = setTimeout(() => {
      session.client.ping().then(
        () => this.#beat(session),
        (error: Error) => {
          // A reply that is an error, such as BUSY under a long script, is a sign of life all the same.
          if (error.name === 'ReplyError') this.#beat(session);
          else {
            if (this.#isCurrent(session)) this.#options.onSilence();
            this.#lose(session, `no answer to the heartbeat: ${error.message}`);
          }
        },
      );
    }, this.#options.heartbeatMs);
    session.heartbeat.unref();
  }

  #lose(session: Session, reason: string): void {
    if (!this.#isCurrent(session)) return;
    this.#end();
    if (this.#channels.size === 0) return;
    const timer = setTimeout(() => this.#open(), backoffMs(this.#attempts + 1));
    this.#state = { kind: 'waiting', timer };
    const refusal = reason === this.#refusal ? undefined : this.#options.toRefusal(reason);
    if (refusal !== undefined) this.#refusal = reason;
    for (const entry of [...this.#channels.values()].flatMap((entries) => [...entries])) {
      tellOfLoss(entry, reason);
      // A loss is told once, and ends by itself; this one does not, so it is told although the loss was.
      if (refusal !== undefined) entry.listener.onProblem?.(refusal);
    }
  }

  /** Ends whatever is under way; nothing of it is heard of again. */
  #end(): void {
    const state = this.#state;
    this.#state = { kind: 'idle' };
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if (state.kind !== 'open') return;
    clearTimeout(state.session.heartbeat);
    state.session.client.disconnect();
  }

  #isCurrent(session: Session): boolean {
    return this.#state.kind === 'open' && this.#state.session === session;
  }
}

function tellOfLoss(entry: Entry, reason: string): void {
  if (entry.toldOfLoss) return;
  entry.toldOfLoss = true;
  entry.listener.onDisconnected(reason);
}

function parsedOrProblem(text: string, channel: string): ChangeSet | Revision | PosternError {
  try {
    return parseMessage(text, channel);
  } catch (error) {
    return toPosternError(error);
  }
}
