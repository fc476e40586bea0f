/**
 * Where a list stopped, as opaque text that is bound to its question. Positions are identities in the order of the
 * list, so that a page goes on where the last one ended although the graph has changed in between: what was there all
 * the time is listed exactly once. Numbers of nodes mean something in one Names only: a token of a graph that was
 * loaded anew since is refused, never misread. Nothing in a token gives a right, so that none has to be signed.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Names } from '../../graph/names.ts';
import { PosternError } from '../../model/errors.ts';

/** The last element that was listed. */
export type Position = readonly (number | string)[];

/** What the parts of a position are. */
export type PositionShape = readonly ('number' | 'string')[];

export interface Question {
  /** What makes two lists the same list; anything that JSON can hold. */
  readonly asked: unknown;
  readonly shape: PositionShape;
  /** Whose numbers the positions hold; undefined where they hold none. */
  readonly names: Names | undefined;
}

export function formatPageToken(question: Question, position: Position): string {
  const token = [lineageOf(question.names), digest(question.asked), ...position];
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/**
 * The position after which to go on; undefined for an empty token.
 * @throws PosternError INVALID_PAGE_TOKEN, LIST_CHANGED
 */
export function parsePageToken(question: Question, token: string): Position | undefined {
  if (token === '') return undefined;
  const [lineage, asked, ...position] = parseParts(token);
  const isPosition =
    position.length === question.shape.length &&
    position.every((part, i) => typeof part === question.shape[i] && (typeof part === 'string' || isIndex(part)));
  if (typeof lineage !== 'string' || typeof asked !== 'string') throw foreign();
  if (asked !== digest(question.asked)) {
    throw invalid('page_token belongs to another question; repeat the question of the first page');
  }
  if (!isPosition) throw foreign();
  if (lineage !== lineageOf(question.names)) throw listChanged('the graph was loaded anew');
  return position as Position;
}

/** The error of a list that cannot go on. */
export function listChanged(why: string): PosternError {
  return new PosternError('LIST_CHANGED', `${why} since page_token was given; list again from the start`, {
    field: 'page_token',
  });
}

// Another process numbers its nodes in another order.
const thisProcess = randomBytes(6).toString('base64url');
const lineages = new WeakMap<Names, string>();
let lineageCount = 0;

function lineageOf(names: Names | undefined): string {
  if (names === undefined) return '';
  let lineage = lineages.get(names);
  if (lineage === undefined) {
    lineage = `${thisProcess}.${++lineageCount}`;
    lineages.set(names, lineage);
  }
  return lineage;
}

function digest(asked: unknown): string {
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64url').slice(0, 16);
}

function parseParts(token: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parts)) return parts;
  } catch {
    // Falls through to the one refusal below.
  }
  throw foreign();
}

function isIndex(part: unknown): boolean {
  return Number.isSafeInteger(part) && (part as number) >= 0;
}

function foreign(): PosternError {
  return invalid('page_token is not one that this sidecar gave; leave it out to start');
}

function invalid(message: string): PosternError {
  return new PosternError('INVALID_PAGE_TOKEN', message, { field: 'page_token' });
}
