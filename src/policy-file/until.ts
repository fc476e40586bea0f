/** When something ends, as people give it: an instant, or how long from now. Pure; called by the CLI and change files. */
import { parseInstant } from './instant.ts';

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
/** The last instant that RFC 3339 can write. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Milliseconds since 1970, or what is wrong with the text: "is in the past". A length ends at a whole second. */
export function parseUntil(text: string, nowMs: number): number | string {
  const [, length, unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const at =
    length === undefined
      ? parseInstant(text)
      : Math.ceil((nowMs + Number(length) * (unitsMs[unit] as number)) / 1000) * 1000;
  if (at === undefined) return 'is neither how long (30m, 8h, 30d) nor a time such as 2027-01-01T00:00:00Z';
  if (at <= nowMs) return 'is in the past';
  return at > lastInstant ? 'is too far away' : at;
}
