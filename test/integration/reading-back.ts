// What can be read of a decision log afterwards, counted against the answers that were noted. Called by tests of crashes
// and outages.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckedChain, checkChain } from '../decision-log/chain-check.ts';
import { asAdmin } from '../setup/redis-admin.ts';

/** Every line of a tenant's files, in order; `torn` of them are no whole records: a process died within them. */
export interface Lines {
  readonly lines: readonly string[];
  readonly torn: number;
}

export async function readFiles(directory: string, tenant = 'default'): Promise<Lines> {
  const names = (await readdir(join(directory, tenant))).sort(byRotation);
  const texts = await Promise.all(names.map((name) => readFile(join(directory, tenant, name), 'utf8')));
  return whole(texts.join('').split('\n').slice(0, -1));
}

export async function readStream(url: string, tenant = 'default'): Promise<Lines> {
  const entries = await asAdmin(url, (redis) => redis.xrange(`postern:{${tenant}}:decisions`, '-', '+'));
  return whole(entries.map(([, fields]) => fields[1] as string));
}

/** Rotated files come first, by number. */
function byRotation(a: string, b: string): number {
  const numberOf = (name: string) => Number(/\.(\d{6,})\.ndjson$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
  return numberOf(a) === numberOf(b) ? 0 : numberOf(a) - numberOf(b);
}

function whole(all: readonly string[]): Lines {
  const lines = all.filter((line) => line.startsWith('{') && line.endsWith('"}') && isJson(line));
  return { lines, torn: all.length - lines.length };
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

export interface Account extends CheckedChain {
  readonly torn: number;
  /** Ids that were answered and cannot be read. */
  missingOf(answered: readonly string[]): string[];
}

/** @throws Error where the chain is broken */
export function account({ lines, torn }: Lines): Account {
  const checked = checkChain(lines);
  return { ...checked, torn, missingOf: (answered) => answered.filter((id) => !checked.ids.has(id)) };
}

/** When a decision id was given, in milliseconds since 1970. */
export function timeOf(id: string): number {
  let ms = 0;
  for (const character of id.slice(0, 10)) ms = ms * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(character);
  return ms;
}

export const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
