/** What a replica went through, as lines of the process's log and as facts for metrics. */
import { formatRevision } from '../model/change.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaEvent } from '../replica/state.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SnapshotCounts, SnapshotFacts } from '../telemetry/metrics.ts';

const lastStays = 'the last policy stays in force';
const noneYet = 'there is no policy yet';
const neverWritten =
  'the store has no policy of this tenant, and nothing is answered before it has: write one with `postern apply`, or look at --tenant';
const emptied = `the store has no policy of this tenant any more, ${lastStays}: it was emptied or replaced; write the policy again with \`postern apply\``;

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
      case 'restored':
        this.#logger.warn(
          { revision: formatRevision(event.revision), ageMs: event.ageMs, tookMs: event.tookMs },
          'policy read from disk: it answers until the store is heard of',
        );
        return;
      case 'saved':
        this.#logger.debug({ revision: formatRevision(event.revision) }, 'policy saved on disk');
        return;
      case 'folded':
        this.#logger.debug({ revision: formatRevision(event.revision), changes: event.changes }, 'changes folded');
        return;
      case 'upkeep-failed':
        this.#logger.error({ code: event.error.code }, `cannot save or fold the policy: ${event.error.message}`);
        return;
      case 'current':
        this.#lastProblem = '';
        this.#logger.info({ revision: formatRevision(event.revision) }, 'policy is up to date again');
        return;
      case 'problem':
        this.#failures++;
        this.#tell({ code: event.error.code }, `policy is not up to date: ${event.error.message}`);
        return;
      case 'missing':
        this.#tell({}, event.held === undefined ? neverWritten : emptied);
        return;
      case 'disconnected':
        this.#logger.warn({}, `the store is not followed, ${this.#loads === 0 ? noneYet : lastStays}: ${event.reason}`);
        return;
      case 'connected':
        this.#logger.debug({}, 'following the store');
    }
  }

  /** The same problem comes with every retry; one line is enough until something changes. */
  #tell(fields: object, problem: string): void {
    if (problem === this.#lastProblem) return;
    this.#lastProblem = problem;
    this.#logger.error(fields, problem);
  }

  /** @param bytes What its snapshot takes, about. */
  facts(replica: Replica, bytes: number): SnapshotFacts {
    return {
      tenant: this.tenant,
      revision: replica.current?.revision.number ?? 0,
      behindSeconds: replica.freshness.ageMs() / 1_000,
      bytes,
      ...this.counts,
    };
  }

  /** What it counted since it began. */
  get counts(): SnapshotCounts {
    return { loads: this.#loads, applied: this.#applied, failures: this.#failures };
  }
}
