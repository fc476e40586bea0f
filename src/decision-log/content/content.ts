/**
 * What of the decisions is written: which of them, and what of each. Made once,
 * from the options, by the parts list; the log asks `wants` for every decision,
 * the PDP `takesPath`, both on the hot path; the encoder asks the rest. Gap,
 * start and seal records and those of changes are none of its business: they
 * are always written.
 */
import { randomInt } from 'node:crypto';
import { PosternError } from '../../model/errors.ts';
import type { DecisionEntry } from '../log.ts';
import { type FilterRule, matchesRule, parseFilterRule, rulesFor } from './filter-rules.ts';
import { needsKey, parseMaskRules } from './mask-rules.ts';
import { createDigest, type Digest, nameOfKey } from './mask-values.ts';
import { createMasking, type MaskedEntry } from './masked.ts';
import { isDrawn, parseSampleRates, type SampleRates } from './sampling.ts';

/** As an operator writes it; see docs/options.md. */
export interface ContentOptions {
  /** Rules, one of which must match; empty: everything is recorded. */
  readonly include: readonly string[];
  /** Rules, none of which may match. */
  readonly exclude: readonly string[];
  readonly sample: readonly string[];
  /** The share of recorded checks that have their path, from 0 to 1. */
  readonly pathRate: number;
  readonly mask: readonly string[];
}

/** What a start record says of the content; keys that are absent say "everything, as it is". */
export interface ContentDescription {
  readonly filter?: string;
  readonly sample?: string;
  readonly mask?: string;
}

export interface Content {
  /** Whether a decision is recorded; undefined where all are. Allocates nothing, never throws. */
  readonly wants: ((entry: DecisionEntry) => boolean) | undefined;
  /** Whether a check's record has its path; undefined where none has. Allocates nothing, never throws. */
  readonly takesPath: ((id: string) => boolean) | undefined;
  /** The rate at which decisions like this one are recorded; undefined where all are. */
  readonly rateOf: ((entry: DecisionEntry) => number) | undefined;
  /** Undefined where nothing is masked. Never throws. */
  readonly mask: ((entry: DecisionEntry) => MaskedEntry) | undefined;
  /** @param tenant For whose start record; undefined: for the operator, who may see the rules of all. */
  describe(tenant: string | undefined): ContentDescription;
}

export interface ContentParts {
  /** Needed where something is hashed. */
  readonly maskKey?: Buffer | undefined;
  /** Told once of each field whose mask failed, never of a value. */
  readonly onMaskFailure?: (field: string) => void;
  /** What tests inject. */
  readonly salt?: number;
  readonly digest?: Digest;
}

export const plainOptions: ContentOptions = { include: [], exclude: [], sample: [], pathRate: 0, mask: [] };

/** Everything, as it is. */
export const plainContent: Content = {
  wants: undefined,
  takesPath: undefined,
  rateOf: undefined,
  mask: undefined,
  describe: () => ({}),
};

/** Paths are drawn apart from records: it is a share of those that are recorded. */
const pathSalt = 0x5bd1e995;

/** @throws PosternError INVALID_OPTION for a rule that cannot be read, and for a mask that hashes without a key */
export function createContent(options: ContentOptions, parts: ContentParts = {}): Content {
  const include = options.include.map(parseFilterRule);
  const exclude = options.exclude.map(parseFilterRule);
  const rates = parseSampleRates(options.sample);
  const salt = parts.salt ?? randomInt(2 ** 32);
  const { pathRate } = options;
  const isSampled = rates.allowed < 1 || rates.denied < 1;
  const isFiltered = include.length > 0 || exclude.length > 0;
  const keyName = parts.maskKey && nameOfKey(parts.maskKey);
  return {
    wants: isFiltered || isSampled ? (entry) => isWanted(entry, include, exclude, rates, salt) : undefined,
    takesPath: pathRate > 0 ? (id) => isDrawn(id, pathRate, salt ^ pathSalt) : undefined,
    rateOf: isSampled ? (entry) => rateFor(entry, rates) : undefined,
    mask: maskingOf(options, parts),
    describe(tenant) {
      const described = describeContent(options, tenant);
      return keyName === undefined ? described : { ...described, mask: `${described.mask}; key ${keyName}` };
    },
  };
}

/**
 * What the options say, in their own words.
 * @param tenant For whose start record: rules about others are left out. Undefined: nothing is.
 * @throws PosternError INVALID_OPTION for a rule that cannot be read
 */
export function describeContent(options: ContentOptions, tenant: string | undefined): ContentDescription {
  const rules = (word: string, texts: readonly string[]) => {
    const told = tenant === undefined ? texts : rulesFor(tenant, texts.map(parseFilterRule));
    return told.map((text) => `${word} ${text}`);
  };
  const include = rules('include', options.include);
  // Where only other tenants are included.
  const nothing = options.include.length > 0 && include.length === 0 ? ['include nothing'] : [];
  const filter = [...nothing, ...include, ...rules('exclude', options.exclude)].join('; ');
  const sample = [...options.sample, ...(options.pathRate === 0 ? [] : [`path=${options.pathRate}`])].join(', ');
  const mask = options.mask.join(', ');
  return {
    ...(filter === '' ? {} : { filter }),
    ...(sample === '' ? {} : { sample }),
    ...(mask === '' ? {} : { mask }),
  };
}

function isWanted(
  entry: DecisionEntry,
  include: readonly FilterRule[],
  exclude: readonly FilterRule[],
  rates: SampleRates,
  salt: number,
): boolean {
  for (let i = 0; i < exclude.length; i++) if (matchesRule(exclude[i] as FilterRule, entry)) return false;
  let isIncluded = include.length === 0;
  for (let i = 0; i < include.length && !isIncluded; i++) isIncluded = matchesRule(include[i] as FilterRule, entry);
  return isIncluded && isDrawn(entry.id, rateFor(entry, rates), salt);
}

function rateFor(entry: DecisionEntry, rates: SampleRates): number {
  return entry.enforcedAllowed ? rates.allowed : rates.denied;
}

function maskingOf(options: ContentOptions, parts: ContentParts): Content['mask'] {
  if (options.mask.length === 0) return undefined;
  const rules = parseMaskRules(options.mask);
  const told = new Set<string>();
  const onFailure = (field: string) => {
    if (told.has(field)) return;
    told.add(field);
    parts.onMaskFailure?.(field);
  };
  return createMasking(rules, digestOf(needsKey(rules), parts), onFailure);
}

function digestOf(isNeeded: boolean, { digest, maskKey }: ContentParts): Digest {
  if (digest !== undefined) return digest;
  if (maskKey !== undefined) return createDigest(maskKey);
  if (!isNeeded) return () => '';
  throw new PosternError(
    'INVALID_OPTION',
    '--decision-log-mask hashes a field; name a key with --decision-log-mask-key-file',
  );
}

/** The content as the end of a sentence about the log, for the start-up line; empty where it is everything, as it is. */
export function formatContent(content: Content): string {
  const { filter, sample, mask } = content.describe(undefined);
  const parts = [
    ...(filter === undefined ? [] : [`recorded is what the rules leave (${filter})`]),
    ...(sample === undefined ? [] : [`sampled (${sample})`]),
    ...(mask === undefined ? [] : [`masked (${mask})`]),
  ];
  return parts.map((part) => `; ${part}`).join('');
}
