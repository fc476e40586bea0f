/**
 * DecisionLogService, once for both transports: a message in, the log asked, messages out. Must stay free of decisions
 * of its own: who may read what is for administration alone.
 */
import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { DecisionReads } from '../../admin/decisions.ts';
import type { Authenticate, Credentials, Identity } from '../../authn/identity.ts';
import {
  DecisionLogService,
  type QueryRequestSchema,
  type TailRequestSchema,
  type TailResponseSchema,
} from '../../gen/postern/v1/decision_log_service_pb.ts';
import type { AuthenticatedService } from '../authenticated.ts';
import { fromInstant } from '../policy/instants.ts';
import { type WatchClock, whileAuthentic } from '../policy/recheck.ts';
import { fromFoundLine } from './entries.ts';
import { toDecisionQuery, toDecisionTail } from './requests.ts';

/** What DecisionLogService is served with. */
export interface DecisionLogParts {
  readonly decisions: DecisionReads;
  readonly authenticate: Authenticate;
  /** By which streams have their credentials looked at again; default the system's. */
  readonly clock?: WatchClock;
}

/** @param parts Undefined serves no DecisionLogService, and tells its callers so. */
export function decisionLogServiceOf(parts: DecisionLogParts | undefined): AuthenticatedService {
  return {
    desc: DecisionLogService,
    absentMessage:
      'DecisionLogService is not served here; start the sidecar with --serve-decision-log and --admin-auth <file>, or read the log where it is',
    served: parts && {
      authenticate: parts.authenticate,
      unary: {
        query: async (caller, request, signal) => {
          const query = toDecisionQuery(request as MessageShape<typeof QueryRequestSchema>);
          const { found, nextPageToken } = await parts.decisions.query(caller, query, signal);
          return { entries: found.map(fromFoundLine), nextPageToken };
        },
      },
      streams: {
        tail: (caller, credentials, request, signal) =>
          tail(parts, caller, credentials, request as MessageShape<typeof TailRequestSchema>, signal),
      },
      resume: 'tail again, since the time of the last record that came',
    },
  };
}

async function* tail(
  { decisions, authenticate, clock }: DecisionLogParts,
  caller: Identity,
  credentials: Credentials,
  request: MessageShape<typeof TailRequestSchema>,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof TailResponseSchema>, void> {
  const asked = toDecisionTail(request);
  const watcher = { caller, credentials, authenticate, clock };
  let records = 0n;
  const open = (ended: AbortSignal) => decisions.tail(caller, asked, ended);
  for await (const { entries, losses, problem } of whileAuthentic(watcher, open, signal)) {
    records += BigInt(entries.length);
    yield {
      entries: entries.map(fromFoundLine),
      losses: losses.map(({ tenant, atLeast }) => ({ tenant, atLeast: BigInt(atLeast) })),
      heartbeat: { time: fromInstant(Date.now()), records, problem },
    };
  }
}
