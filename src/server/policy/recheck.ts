/**
 * Keeps a watch from outliving its credentials: who opened it is authenticated again while it is open, so that a token
 * that was revoked or has expired hears no more. Called by the answers, for both transports. Must never let an event
 * through while it is not known whether its reader is still known.
 */
import type { Authenticate, Credentials, Identity } from '../../authn/identity.ts';
import { unauthenticated } from '../../authn/identity.ts';
import { PosternError } from '../../model/errors.ts';

/** How old the last look at the credentials may be when an event is sent, and how often there is one where none is. */
export const recheckMs = 10_000;
/** How long a watch goes on while nobody can tell whether its credentials still count. */
export const unavailableGraceMs = 300_000;

/** Time as a watch has it; tests move it by hand. */
export interface WatchClock {
  /** Milliseconds that never go back, since any instant. */
  now(): number;
  /** Calls until the function that it returns is called; keeps no process alive. */
  every(ms: number, tick: () => void): () => void;
}

const systemClock: WatchClock = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms).unref();
    return () => clearInterval(timer);
  },
};

export interface Watcher {
  /** Who the credentials made at the start. */
  readonly caller: Identity;
  readonly credentials: Credentials;
  readonly authenticate: Authenticate;
  readonly clock?: WatchClock | undefined;
}

/**
 * What `open` yields, until the signal aborts or the watcher is no longer who it was.
 * @param open Ends soon after its signal aborts.
 * @throws PosternError UNAUTHENTICATED where the credentials are refused or make somebody else, AUTH_UNAVAILABLE
 * where that could not be known for `unavailableGraceMs`, and what `open` throws
 */
export async function* whileAuthentic<T>(
  watcher: Watcher,
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const { clock = systemClock } = watcher;
  const lapsed = new AbortController();
  const ended = AbortSignal.any([signal, lapsed.signal]);
  let checkedAt = clock.now();
  let failingSince: number | undefined;
  let checking: Promise<void> | undefined;

  const look = async () => {
    const at = clock.now();
    try {
      const identity = await watcher.authenticate(watcher.credentials);
      failingSince = undefined;
      if (!isSame(identity, watcher.caller)) lapsed.abort(unauthenticated('the credential changed; watch again'));
    } catch (error) {
      const isUnknown = error instanceof PosternError && error.code === 'AUTH_UNAVAILABLE';
      failingSince ??= at;
      if (!isUnknown || clock.now() - failingSince >= unavailableGraceMs) lapsed.abort(error);
    }
    checkedAt = at;
  };
  /** One look at a time, not waited for any more once the watch ends. */
  const check = () => {
    checking ??= new Promise((resolve) => {
      const done = () => {
        ended.removeEventListener('abort', done);
        checking = undefined;
        resolve();
      };
      ended.addEventListener('abort', done);
      void look().then(done);
    });
    return checking;
  };

  const stop = clock.every(recheckMs, () => void check());
  // A reader that is gone or stands still may never ask for the next event.
  ended.addEventListener('abort', stop, { once: true });
  try {
    for await (const event of open(ended)) {
      if (checking !== undefined || clock.now() - checkedAt > recheckMs) await check();
      if (ended.aborted) break;
      yield event;
    }
  } catch (error) {
    throw lapsed.signal.aborted ? lapsed.signal.reason : error;
  } finally {
    stop();
  }
  if (!signal.aborted) lapsed.signal.throwIfAborted();
}

function isSame(one: Identity, other: Identity): boolean {
  return one.subject === other.subject && one.operator === other.operator && areSame(one.tenants, other.tenants);
}

function areSame(one: Identity['tenants'], other: Identity['tenants']): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.every((tenant) => other.includes(tenant)) && other.every((tenant) => one.includes(tenant));
}
