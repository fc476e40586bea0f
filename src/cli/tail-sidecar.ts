/**
 * Follows the decision log through a sidecar, by its DecisionLogService. Where the sidecar goes away, or nothing comes
 * from it for longer than it promises, it is called again, and what has been given already is left out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { TailEvent } from '../decision-log/query/intake.ts';
import { copyKeyOf, createSelect, type FoundLine, type Selection } from '../decision-log/query/selection.ts';
import {
  DecisionLogService,
  type LogFilterSchema,
  type TailRequestSchema,
  type TailResponse,
} from '../gen/postern/v1/decision_log_service_pb.ts';
import { PosternError } from '../model/errors.ts';
import type { Client } from './client.ts';
import type { Tailing } from './tail-logs.ts';

/** Three times as long as a sidecar lets pass without a word. */
const silenceMs = 30_000;
const retryMs = 1_000;
/** Records of others may be written later than they say: so much is asked for again, and left out where it is known. */
const overlapMs = 60_000;
/** Records that are known to have been given. */
const mostKnown = 100_000;

/** @throws PosternError what the sidecar refuses; where it is followed, not that it is away */
export async function* tailSidecar(
  client: Client,
  tailing: Tailing,
  onBehalfOf: string,
  signal: AbortSignal,
): AsyncGenerator<TailEvent, void> {
  const { tenants, selection, follow } = tailing;
  const select = createSelect(selection);
  const known = new Set<string>();
  let start = startOf(tailing);
  /** By the clock of the sidecar, when it was heard last, and could read: what it could not may be written later than it says. */
  let heardMs: number | undefined;

  const toEvent = ({ entries, losses, heartbeat }: TailResponse): TailEvent => {
    const found: FoundLine[] = [];
    for (const { line, problem } of entries) {
      if (problem !== '') found.push({ line, problem });
      const one = line === '' ? undefined : select(line);
      if (one === undefined || known.has(copyKeyOf(line))) continue;
      known.add(copyKeyOf(line));
      if (known.size > mostKnown) known.delete(known.values().next().value as string);
      found.push(one);
    }
    const isReading = heartbeat?.problem === '' || heardMs === undefined;
    if (heartbeat?.time !== undefined && isReading) heardMs = timestampMs(heartbeat.time);
    const lost = losses.map(({ tenant, atLeast }) => ({ tenant, atLeast: Number(atLeast) }));
    return { entries: found, losses: lost, problem: heartbeat?.problem ?? '' };
  };

  let problem = '';
  while (!signal.aborted) {
    try {
      const request = { tenants: [...tenants], filter: toFilter(selection), start, onBehalfOf, untilEnd: !follow };
      for await (const response of client.stream(DecisionLogService.method.tail, request, { silenceMs, signal })) {
        problem = '';
        yield toEvent(response);
      }
      return;
    } catch (error) {
      if (!follow || !isPassing(error)) throw error;
      if (error.message !== problem) yield { entries: [], losses: [], problem: error.message };
      problem = error.message;
      // From where it was heard last; before it was heard at all, as at first.
      if (heardMs !== undefined) start = { case: 'since', value: timestampFromMs(heardMs - overlapMs) };
      await delay(retryMs, undefined, { signal }).catch(() => {});
    }
  }
}

type Start = NonNullable<MessageInitShape<typeof TailRequestSchema>['start']>;

function startOf({ from, selection }: Tailing): Start {
  if (typeof from === 'number') return { case: 'newest', value: from };
  if (from === 'end') return { case: undefined };
  const { since } = selection;
  return { case: 'since', value: timestampFromMs(since === undefined ? 0 : Date.parse(since)) };
}

function toFilter(selection: Selection): MessageInitShape<typeof LogFilterSchema> {
  const { allowed, subject = '', action = '', object = '', type: objectType = '', source = '' } = selection;
  const { instance = '', id = '' } = selection;
  const texts = { subject, action, object, objectType, source, instance, id };
  return { ...texts, ...(allowed === undefined ? {} : { allowed }) };
}

/** Whether the same call may be answered a moment later. */
function isPassing(error: unknown): error is PosternError {
  return error instanceof PosternError && ['NOT_READY', 'STORE_UNAVAILABLE', 'OVERLOADED'].includes(error.code);
}
