/**
 * grpc.health.v1, for each service: SERVING while it has something to answer from and no drain has begun. Decisions
 * want a policy that is not too old; administration reads and writes the store's.
 */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Pdp } from '../../pdp/view.ts';

export interface Health {
  /** NOT_SERVING from now on, whatever the PDP says; idempotent. */
  close(): void;
}

/** @param others Names of the services that want a policy of any age. */
export function addHealth(
  registrar: Pick<Server, 'addService'>,
  { readiness }: Pdp,
  decisionService: string,
  others: readonly string[],
): Health {
  const health = new HealthImplementation();
  const set = (ready: boolean, loaded: boolean) => {
    // "" is the whole server, which is there for decisions.
    for (const service of ['', decisionService]) health.setStatus(service, toStatus(ready));
    for (const service of others) health.setStatus(service, toStatus(loaded));
  };
  const stop = readiness.onChange(() => set(readiness.ready, readiness.loaded));
  set(readiness.ready, readiness.loaded);
  health.addToServer(registrar);
  return {
    close() {
      stop();
      set(false, false);
    },
  };
}

function toStatus(isServing: boolean): 'SERVING' | 'NOT_SERVING' {
  return isServing ? 'SERVING' : 'NOT_SERVING';
}
