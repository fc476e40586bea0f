/** Timestamps of the wire to milliseconds since 1970, and back. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { Problems } from './problems.ts';

/** The end of the year 9999, after which RFC 3339 has no years. */
const endMs = 253_402_300_800_000;
/** The beginning of the year 1: the first instant that a Timestamp may hold. */
const beginMs = -62_135_596_800_000;

/** Milliseconds since 1970, or undefined where there is no instant, or none that can be kept, which is a problem. */
export function toInstant(instant: Timestamp | undefined, field: string, problems: Problems): number | undefined {
  if (instant === undefined) return undefined;
  const { seconds, nanos } = instant;
  if (seconds < 0n || seconds >= BigInt(endMs / 1000) || nanos < 0 || nanos > 999_999_999) {
    problems.add(field, 'is not an instant of the years 1970 to 9999; leave it out where there is no end');
    return undefined;
  }
  if (nanos % 1_000_000 !== 0) {
    problems.add(field, `has ${nanos} nanoseconds, which are not whole milliseconds; round it`);
    return undefined;
  }
  return Number(seconds) * 1000 + nanos / 1_000_000;
}

/** An instant that no Timestamp can hold becomes the nearest that it can: it is as far away for anybody who asks. */
export function fromInstant(ms: number): MessageInitShape<typeof TimestampSchema> {
  const held = Math.min(Math.max(ms, beginMs), endMs - 1);
  const seconds = Math.floor(held / 1000);
  return { seconds: BigInt(seconds), nanos: (held - seconds * 1000) * 1_000_000 };
}
