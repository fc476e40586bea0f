/**
 * The parts of a running sidecar, put together: reads like a list. `postern
 * serve` starts one; tests start several in one process. Nothing here decides
 * or translates; it opens things in order, and closes them in reverse.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServeOptions } from '../config/options.ts';
import { createIds } from '../decision-log/ids.ts';
import type { Claim } from '../decision-log/spool/claim.ts';
import { createPdp } from '../pdp/pdp.ts';
import type { Pdp } from '../pdp/view.ts';
import type { Servers } from '../server/start.ts';
import { readRedisAccess } from '../store/redis/access.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openDecisionLog } from './decision-log.ts';
import { openSnapshots, openStore } from './open-store.ts';
import { openReadiness } from './readiness.ts';
import { ServedTenants } from './served-tenants.ts';

export interface Sidecar {
  readonly servers: Servers;
  /** Resolves when the PDP is ready: every tenant that was told, or that the store had, has a policy. */
  readonly ready: Promise<void>;
  /** What the operator should know of it, for the start-up line. */
  readonly storeDescription: string;
  readonly logDescription: string;
  /**
   * Drains: no new requests, those in flight finish, the decision log is
   * written, everything is closed. Idempotent.
   * @param deadlineMs For requests and log together.
   */
  close(deadlineMs: number): Promise<void>;
}

/**
 * @param claim The spool of this process, where it has been claimed already.
 * @throws PosternError for options that cannot be met: a policy that is not valid, an address in use
 */
export async function startSidecar(options: ServeOptions, logger: Logger, claim?: Claim): Promise<Sidecar> {
  const closers: ((deadlineMs: number) => Promise<void>)[] = [];
  const closeAll = async (deadlineMs: number): Promise<void> => {
    const endMs = performance.now() + deadlineMs;
    for (const close of closers.splice(0).reverse()) await close(Math.max(0, endMs - performance.now()));
  };
  try {
    const redis = options.redis === undefined ? undefined : await readRedisAccess({ ...options, redis: options.redis });
    const { store, close: closeStore } = await openStore(options, redis, logger);
    closers.push(closeStore);
    const { log, close: closeLog } = await openDecisionLog(options, claim, redis, logger);
    closers.push(closeLog);
    const served = new ServedTenants(store, options, logger, await openSnapshots(options));
    closers.push(() => served.close());
    const readiness = openReadiness(options, served.tenants, log, logger);
    closers.push(async () => readiness.close());
    const pdp = createPdp({
      tenants: served.tenants,
      log,
      nextId: createIds(),
      now: Date.now,
      allowAssertedGroups: options.allowAssertedGroups,
      readiness,
    });
    // The load of the first graph begins with some round trips to Redis, for which these modules, which hold this thread
    // for 200 ms, leave no room; then they are loaded while the graph is.
    if (redis !== undefined) await delay(headStartMs);
    const { openServers } = await import('./servers.ts');
    const { servers, close: closeServers } = await openServers(options, logger, log, pdp, store, redis, served);
    closers.push((deadlineMs) => {
      served.endWaits();
      return closeServers(deadlineMs - logShareMs(deadlineMs));
    });
    let closing: Promise<void> | undefined;
    return {
      servers,
      ready: whenReady(pdp),
      storeDescription: store.description,
      logDescription: log.description,
      close: (deadlineMs) => (closing ??= closeAll(deadlineMs)),
    };
  } catch (error) {
    await closeAll(0);
    throw error;
  }
}

/** A start at a million bindings takes 0.3 s less with it: 4.0 to 4.1 s instead of 4.3 to 4.5. */
const headStartMs = 40;

/** What requests leave of a drain: a caller who never reads must not cost the records of all the others. */
function logShareMs(drainMs: number): number {
  return Math.min(2_000, drainMs / 4);
}

function whenReady(pdp: Pdp): Promise<void> {
  return new Promise((resolve) => {
    if (pdp.readiness.ready) resolve();
    else pdp.readiness.onChange((ready) => ready && resolve());
  });
}
