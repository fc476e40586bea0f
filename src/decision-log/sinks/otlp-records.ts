/**
 * Lines of the log as an OTLP request, and the answer to it. The only file that knows the OpenTelemetry packages, which
 * take a while to load: the OTLP sink imports it when it first writes. The body of a log record is the line as it is,
 * so that a chain can be verified from what a collector has kept; attributes repeat what people search for.
 */
import { SeverityNumber } from '@opentelemetry/api';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';

type OtlpRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];
type Attribute = string | number | boolean;

/** Keys of a record that become attributes under the same name, after `postern.`; each costs a microsecond a record. */
export const attributeKeys = [
  'type',
  'id',
  'instance',
  'seq',
  'tenant',
  'subject',
  'by',
  'action',
  'object',
  'allowed',
  'reason',
  'first',
  'last',
  'cause',
] as const;

const traceIdPattern = /^(?!0{32})[0-9a-f]{32}$/;

/** Encodes requests of one instance. */
export function createOtlpEncoder(instance: string): (lines: readonly string[], nowMs: number) => Uint8Array {
  const resource = resourceFromAttributes({ 'service.name': 'postern', 'service.instance.id': instance });
  const instrumentationScope = { name: 'postern.decision-log' };
  return (lines, nowMs) => {
    const hrTimeObserved = toHrTime(nowMs);
    const records = lines.map((line): OtlpRecord => {
      const record = parse(line);
      const isGap = record.type === 'gap';
      const timeMs = typeof record.time === 'string' ? Date.parse(record.time) : Number.NaN;
      return {
        hrTime: Number.isNaN(timeMs) ? hrTimeObserved : toHrTime(timeMs),
        hrTimeObserved,
        severityNumber: isGap ? SeverityNumber.WARN : SeverityNumber.INFO,
        severityText: isGap ? 'WARN' : 'INFO',
        eventName: `postern.${typeof record.type === 'string' ? record.type : 'decision'}`,
        body: line,
        attributes: attributesOf(record),
        droppedAttributesCount: 0,
        ...traceOf(record.trace_id),
        resource,
        instrumentationScope,
      };
    });
    const request = ProtobufLogsSerializer.serializeRequest(records);
    if (request === undefined) throw new Error('log records could not be encoded');
    return request;
  };
}

/** How many records a collector says it has rejected; 0 where its answer says nothing of it. */
export function rejectedOf(answer: Uint8Array): number {
  return Number(ProtobufLogsSerializer.deserializeResponse(answer).partialSuccess?.rejectedLogRecords ?? 0);
}

/** What is no object has no attributes: the line goes out all the same. */
function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function attributesOf(record: Readonly<Record<string, unknown>>): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const key of attributeKeys) {
    const value = record[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      attributes[`postern.${key}`] = value;
    }
  }
  return attributes;
}

/** The record knows the trace, not the span. */
function traceOf(traceId: unknown): Pick<OtlpRecord, 'spanContext'> {
  if (typeof traceId !== 'string' || !traceIdPattern.test(traceId)) return {};
  return { spanContext: { traceId, spanId: '', traceFlags: 0 } };
}

function toHrTime(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}
