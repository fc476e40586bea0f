/**
 * One written value of an option to what the program uses. Values come from
 * flags, the environment and files as text, and from YAML also as booleans,
 * numbers and lists. The problem of a value is returned, not thrown, so that
 * all can be told at once.
 */
import type { OptionKind, OptionSpec } from './option-spec.ts';
import type { HostPort } from './options.ts';

export type ParsedValue = string | boolean | number | HostPort | readonly string[];

/** A value, or what is wrong with it as the end of a sentence that begins with the option and its value. */
export type Parsed = { readonly value: ParsedValue } | { readonly problem: string };

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

type KindParser = (spec: OptionSpec, text: string) => Parsed;

const parsers: Readonly<Record<Exclude<OptionKind, 'list'>, KindParser>> = {
  string: (_, text) => ({ value: text }),
  boolean: (_, text) => {
    if (text === 'true' || text === '1') return { value: true };
    return text === 'false' || text === '0' ? { value: false } : { problem: 'is not true or false' };
  },
  integer: (spec, text) =>
    /^[0-9]{1,15}$/.test(text) ? bounded(spec, Number(text)) : { problem: 'is not a whole number' },
  fraction: (_, text) =>
    /^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$/.test(text)
      ? { value: Number(text) }
      : { problem: 'is not a fraction; write a number from 0 to 1, such as 0.01' },
  duration: (spec, text) => {
    const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text);
    if (match === null) return { problem: 'is not a duration; write a number and ms, s, m or h, such as 10s' };
    return bounded(spec, Math.round(Number(match[1]) * (durationUnits[match[2] as string] as number)));
  },
  bytes: (spec, text) => {
    const match = /^([0-9]+(?:\.[0-9]+)?)(|B|KiB|MiB|GiB|TiB)$/.exec(text);
    if (match === null) return { problem: 'is not a size; write a number and B, KiB, MiB, GiB or TiB, such as 64MiB' };
    return bounded(spec, Math.round(Number(match[1]) * (byteUnits[match[2] as string] as number)));
  },
  address: (_, text) => {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):([0-9]{1,5})$/.exec(text);
    const port = Number(match?.[3]);
    if (match === null || port > 65_535) {
      return { problem: 'is not host:port; write for example 127.0.0.1:7678, [::1]:7678 or 0.0.0.0:7678' };
    }
    return { value: { host: (match[1] ?? match[2]) as string, port } };
  },
  choice: (spec, text) =>
    spec.choices?.includes(text) === true ? { value: text } : { problem: `is not one of ${spec.choices?.join(', ')}` },
  permissions: (_, text) =>
    /^0?[0-7]{3}$/.test(text)
      ? { value: Number.parseInt(text, 8) }
      : { problem: 'is not a set of permission bits; write for example 0660' },
};

/** Parses what a flag, a variable or a file says. Never throws. */
export function parseValue(spec: OptionSpec, written: unknown): Parsed {
  if (spec.kind === 'list') return parseList(written);
  if (typeof written === 'string') {
    return written === '' ? { problem: 'is empty; leave the option out instead' } : parsers[spec.kind](spec, written);
  }
  if (typeof written === 'boolean' && spec.kind === 'boolean') return { value: written };
  if (typeof written === 'number' && (spec.kind === 'integer' || spec.kind === 'bytes' || spec.kind === 'fraction')) {
    return parsers[spec.kind](spec, String(written));
  }
  // YAML reads 0660 as a number in its own way: only text says which digits were meant.
  if (typeof written === 'number' && spec.kind === 'permissions') return { problem: 'must be text; put it in quotes' };
  if (typeof written === 'number' && spec.kind === 'duration') return parsers.duration(spec, String(written));
  return { problem: `is not ${spec.kind === 'string' ? 'text' : `of the kind ${spec.kind}`}` };
}

function parseList(written: unknown): Parsed {
  const items = Array.isArray(written) ? written : [written];
  if (!items.every((item) => typeof item === 'string')) return { problem: 'is not a list of names' };
  // A flag may be repeated, and each may hold several.
  const names = items.flatMap((item) => item.split(',').map((name) => name.trim()));
  return names.includes('') ? { problem: 'holds an empty name' } : { value: [...new Set(names)] };
}

function bounded(spec: OptionSpec, value: number): Parsed {
  if (isOutside(spec, value)) return { problem: `is not between ${spec.min} and ${spec.max}` };
  return { value };
}

function isOutside(spec: OptionSpec, value: number): boolean {
  const { min, max, ...open } = spec;
  const limit = (text: string | undefined, fallback: number) => {
    const parsed = text === undefined ? undefined : parseValue(open, text);
    return parsed !== undefined && 'value' in parsed ? Number(parsed.value) : fallback;
  };
  return value < limit(min, Number.NEGATIVE_INFINITY) || value > limit(max, Number.POSITIVE_INFINITY);
}
