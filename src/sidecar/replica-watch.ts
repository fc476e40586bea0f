/** What a replica went through, as lines of the process's log and as facts for metrics. */
import { formatRevision } from '../model/change.ts';
import type { Replica, ReplicaEvent } from '../replica/replica.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotFacts } from '../telemetry/metrics.ts';

export class ReplicaWatch {
  readonly tenant: string;
  readonly #logger: Logger;
  #loads = 0;
  #applied = 0;
  #failures = 0;
  #lastProblem = '';

  constructor(tenant: string, logger: Logger) {
    this.tenant = tenant;
    this.#logger = logger.child({ tenant });
  }

  note(event: ReplicaEvent): void {
    switch (event.kind) {
      case 'loaded':
        this.#loads++;
        this.#lastProblem = '';
        this.#logger.info({ revision: formatRevision(event.revision), tookMs: event.tookMs }, 'policy loaded');
        return;
      case 'applied':
        this.#applied++;
        this.#lastProblem = '';
        this.#logger.debug(
          { revision: formatRevision(event.revision), changes: event.changes, delayMs: event.delayMs },
          'change set applied',
        );
        return;
      case 'problem':
        this.#failures++;
        // The same problem comes with every retry; one line is enough until something changes.
        if (event.error.message === this.#lastProblem) return;
        this.#lastProblem = event.error.message;
        this.#logger.error({ code: event.error.code }, `policy is not up to date: ${event.error.message}`);
        return;
      case 'disconnected':
        this.#logger.warn({}, `following was lost, the last policy stays in force: ${event.reason}`);
        return;
      case 'connected':
        this.#logger.debug({}, 'following the store');
    }
  }

  /** @param nowMs Milliseconds since 1970. */
  facts(replica: Replica, nowMs: number): SnapshotFacts {
    const { state } = replica;
    return {
      tenant: this.tenant,
      revision: replica.current?.revision.number ?? 0,
      behindSeconds: state.kind === 'behind' ? (nowMs - state.sinceMs) / 1_000 : 0,
      loads: this.#loads,
      applied: this.#applied,
      failures: this.#failures,
    };
  }
}
