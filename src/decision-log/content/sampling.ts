/**
 * Which decisions are among a sample. The draw is a function of the decision id
 * and of a salt: the same id always draws the same, and a batch is thinned
 * evenly. Ids are made here and not by callers, but those of one millisecond
 * count up, so that a caller who sees one could foresee the next: the salt,
 * which is drawn at start, keeps him from knowing which of them are recorded.
 * On the hot path: no allocation.
 */
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';

/** Shares of the decisions that are recorded, from 0 to 1, by what mode enforce answers or would have answered. */
export interface SampleRates {
  readonly allowed: number;
  readonly denied: number;
}

const everything: SampleRates = { allowed: 1, denied: 1 };
const two32 = 4_294_967_296;
/** The characters of a ULID before it are the time. */
const randomPartAt = 10;

/**
 * Parses rates such as "allowed=0.01".
 * @throws PosternError INVALID_OPTION
 */
export function parseSampleRates(texts: readonly string[]): SampleRates {
  let rates = everything;
  const told = new Set<string>();
  for (const text of texts) {
    const { outcome, rate } = parseSampleRate(text);
    if (told.has(outcome)) throw new PosternError('INVALID_OPTION', `the rate of ${outcome} is given twice`);
    told.add(outcome);
    rates = { ...rates, [outcome]: rate };
  }
  return rates;
}

/** @throws PosternError INVALID_OPTION */
export function parseSampleRate(text: string): { readonly outcome: 'allowed' | 'denied'; readonly rate: number } {
  const match = /^(allowed|denied)=((?:0|1)(?:\.[0-9]{1,12})?|0?\.[0-9]{1,12})$/.exec(text);
  const rate = Number(match?.[2]);
  if (match === null || rate > 1) {
    throw new PosternError(
      'INVALID_OPTION',
      `${quote(text)} is not a rate; write allowed=0.01 or denied=0.5, from 0 (none) to 1 (all)`,
    );
  }
  return { outcome: match[1] as 'allowed' | 'denied', rate };
}

/** Whether an id is among a share `rate` of all ids. */
export function isDrawn(id: string, rate: number, salt: number): boolean {
  return rate >= 1 || hashOf(id, salt) < rate * two32;
}

/** 32 bits: FNV-1a over the random part, then mixed until each bit of it changes half of the result. */
function hashOf(id: string, salt: number): number {
  let hash = salt;
  for (let i = randomPartAt; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
