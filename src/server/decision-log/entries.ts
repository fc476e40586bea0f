/** Lines of the decision log to messages: as they were logged, and nothing added. */
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { FoundLine } from '../../decision-log/query/selection.ts';
import type {
  ChangeRecord,
  DecisionRecord,
  GapRecord,
  LogRecord,
  SealRecord,
  StartRecord,
  StopRecord,
} from '../../decision-log/record.ts';
import type {
  LogEntrySchema,
  LoggedChangeSchema,
  LoggedDecisionSchema,
  LoggedGapSchema,
  LoggedRecordChangeSchema,
  LoggedSealSchema,
  LoggedStartSchema,
  LoggedStopSchema,
  LogOriginSchema,
} from '../../gen/postern/v1/decision_log_pb.ts';
import { fromInstant } from '../policy/instants.ts';

type Entry = MessageInitShape<typeof LogEntrySchema>;

export function fromFoundLine({ line, record, problem }: FoundLine): Entry {
  return record === undefined ? { line, problem } : { line, record: fromRecord(record) };
}

function fromRecord(record: LogRecord): NonNullable<Entry['record']> {
  switch (record.type) {
    case undefined:
      return { case: 'decision', value: fromDecision(record) };
    case 'gap':
      return { case: 'gap', value: fromGap(record) };
    case 'change':
      return { case: 'change', value: fromChange(record) };
    case 'start':
      return { case: 'start', value: fromStart(record) };
    case 'stop':
      return { case: 'stop', value: fromStop(record) };
    case 'seal':
      return { case: 'seal', value: fromSeal(record) };
  }
}

function originOf({ instance, time, tenant, hash = '' }: LogRecord): MessageInitShape<typeof LogOriginSchema> {
  return { instance, time: fromInstant(Date.parse(time)), tenant, hash };
}

function fromDecision(record: DecisionRecord): MessageInitShape<typeof LoggedDecisionSchema> {
  const { id, seq, subject = '', action, object = '', allowed, reason, binding, revision, mode, source } = record;
  const { caller = '', reach = '', attributes, results, path } = record;
  return {
    origin: originOf(record),
    id,
    seq: BigInt(seq),
    subject,
    action,
    object,
    allowed,
    enforcedAllowed: record.enforced_allowed ?? allowed,
    reason,
    binding: binding === undefined ? '' : JSON.stringify(binding),
    revision,
    mode,
    source,
    caller,
    traceId: record.trace_id ?? '',
    reach,
    assertedGroups: [...(record.asserted_groups ?? [])],
    activeRoles: [...(record.active_roles ?? [])],
    ...(attributes === undefined ? {} : { attributes: attributes as JsonObject }),
    ...(results === undefined ? {} : { results: BigInt(results) }),
    dataAgeMs: BigInt(record.data_age_ms ?? 0),
    ...(record.sample_rate === undefined ? {} : { sampleRate: record.sample_rate }),
    masked: [...(record.masked ?? [])],
    ...(path === undefined ? {} : { path: path as JsonObject }),
  };
}

function fromGap(record: GapRecord): MessageInitShape<typeof LoggedGapSchema> {
  const { first, last, cause, from = '', through = '' } = record;
  return { origin: originOf(record), first: BigInt(first), last: BigInt(last), cause, from, through };
}

function fromChange(record: ChangeRecord): MessageInitShape<typeof LoggedChangeSchema> {
  const { id, seq, by, via = '', why = '', caller = '', allowed, error = '', revision = '', changes } = record;
  return {
    origin: originOf(record),
    id,
    seq: BigInt(seq),
    by,
    via,
    why,
    caller,
    allowed,
    error,
    revision,
    changes: changes.map(fromRecordChange),
    changesOmitted: BigInt(record.changes_omitted ?? 0),
  };
}

function fromRecordChange(change: ChangeRecord['changes'][number]): MessageInitShape<typeof LoggedRecordChangeSchema> {
  const { op, before, after } = change;
  return {
    op: typeof op === 'string' ? op : '',
    ...(isObject(before) ? { before } : {}),
    ...(isObject(after) ? { after } : {}),
  };
}

function fromStart(record: StartRecord): MessageInitShape<typeof LoggedStartSchema> {
  const { next, after, lost_ms: lostMs, log } = record;
  return {
    origin: originOf(record),
    next: BigInt(next),
    after,
    ...(lostMs === undefined ? {} : { lostMs: BigInt(lostMs) }),
    log: log as JsonObject,
  };
}

function fromStop(record: StopRecord): MessageInitShape<typeof LoggedStopSchema> {
  return { origin: originOf(record), last: BigInt(record.last) };
}

function fromSeal(record: SealRecord): MessageInitShape<typeof LoggedSealSchema> {
  const { first, last, lines, key = '', signature = '' } = record;
  return { origin: originOf(record), first: BigInt(first), last: BigInt(last), lines: BigInt(lines), key, signature };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
