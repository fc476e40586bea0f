/** grpc.health.v1: SERVING while the PDP is ready and no drain has begun. */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Pdp } from '../../pdp/view.ts';

export interface Health {
  /** NOT_SERVING from now on, whatever the PDP says; idempotent. */
  close(): void;
}

/** @param services Names that are answered for, beside "" for the whole server. */
export function addHealth(registrar: Pick<Server, 'addService'>, pdp: Pdp, services: readonly string[]): Health {
  const health = new HealthImplementation();
  const set = (ready: boolean) => {
    for (const service of ['', ...services]) health.setStatus(service, ready ? 'SERVING' : 'NOT_SERVING');
  };
  const stop = pdp.onReadyChange(set);
  set(pdp.ready);
  health.addToServer(registrar);
  return {
    close() {
      stop();
      set(false);
    },
  };
}
