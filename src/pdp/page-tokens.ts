/**
 * Page tokens: where a list stopped, and of which question. Positions are node
 * numbers, which hold for as long as a graph is changed, and neither reloaded nor
 * folded; a token of another numbering is refused, never misread.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Names } from '../graph/names.ts';
import { PosternError } from '../model/errors.ts';

export class PageTokens {
  readonly #process = randomBytes(6).toString('base64url');
  readonly #lineages = new WeakMap<Names, string>();
  #lineageCount = 0;

  /** @param question What makes two lists the same list; anything that JSON can hold. */
  format(names: Names, question: unknown, position: number): string {
    return Buffer.from(JSON.stringify([this.#lineageOf(names), digest(question), position])).toString('base64url');
  }

  /**
   * The position after which to go on; -1 for an empty token.
   * @throws PosternError INVALID_PAGE_TOKEN, LIST_CHANGED
   */
  parse(names: Names, question: unknown, token: string): number {
    if (token === '') return -1;
    const [lineage, asked, position] = parseToken(token);
    if (asked !== digest(question)) {
      throw new PosternError(
        'INVALID_PAGE_TOKEN',
        'page_token belongs to another question; repeat the question of the first page',
        {
          field: 'page_token',
        },
      );
    }
    if (lineage !== this.#lineageOf(names)) {
      throw new PosternError(
        'LIST_CHANGED',
        'the graph was loaded or put in order since page_token was given; list again from the start',
        {
          field: 'page_token',
        },
      );
    }
    return position;
  }

  #lineageOf(names: Names): string {
    let lineage = this.#lineages.get(names);
    if (lineage === undefined) {
      lineage = `${this.#process}.${++this.#lineageCount}`;
      this.#lineages.set(names, lineage);
    }
    return lineage;
  }
}

function digest(question: unknown): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 16);
}

function parseToken(token: string): [string, string, number] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 3) {
      const [lineage, asked, position] = parsed as unknown[];
      if (typeof lineage === 'string' && typeof asked === 'string' && Number.isSafeInteger(position)) {
        return [lineage, asked, position as number];
      }
    }
  } catch {
    // Falls through to the one refusal below.
  }
  throw new PosternError('INVALID_PAGE_TOKEN', 'page_token is not one that this sidecar gave; leave it out to start', {
    field: 'page_token',
  });
}
