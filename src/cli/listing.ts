/**
 * Lists of PolicyService for the commands that print them, or need them for a change: page by page, all or one page.
 * It must never take a page for the whole.
 */
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import type { ListInfo, ListOptionsSchema } from '../gen/postern/v1/policy_service_pb.ts';
import { PosternError } from '../model/errors.ts';
import { suggest } from '../policy-file/suggest.ts';
import { scopeOf } from './admin-client.ts';
import type { ListingOptions } from './admin-options.ts';
import type { Client } from './client.ts';
import { coloursOf, note, printAll, printJson, visible } from './output.ts';

/** The largest page that a sidecar gives, to ask as seldom as possible. */
const largestPage = 10_000;

export type ListOptionsInit = MessageInitShape<typeof ListOptionsSchema>;

/** One kind of list. */
export interface Listing<I extends DescMessage, O extends DescMessage, T> {
  readonly method: DescMethodUnary<I, O>;
  /** The request for one page. */
  readonly request: (options: ListOptionsInit) => MessageInitShape<I>;
  /** The elements of an answer, in the message itself: merging adds to it. */
  readonly itemsOf: (answer: MessageShape<O>) => T[];
}

/** What all answers to lists hold. */
type Listed = { readonly info?: ListInfo };

/** The one page that was asked for, or all of them. */
async function* askPages<I extends DescMessage, O extends DescMessage, T>(
  client: Client,
  options: ListingOptions,
  { method, request }: Listing<I, O, T>,
): AsyncGenerator<MessageShape<O> & Listed> {
  const { pageSize, pageToken = '', atLeast = '' } = options;
  const fixed = { ...scopeOf(options), atLeast, pageSize: Math.min(pageSize ?? largestPage, largestPage) };
  let token = pageToken;
  do {
    const answer = await client.unary(method, request({ ...fixed, pageToken: token }));
    const page = answer as MessageShape<O> & Listed;
    token = page.info?.nextPageToken ?? '';
    yield page;
  } while (pageSize === undefined && token !== '');
}

/** All elements, and the revision that they are of. @throws PosternError LIST_CHANGED where a change came in between */
export async function readAll<I extends DescMessage, O extends DescMessage, T>(
  client: Client,
  { pageSize: _, pageToken: __, ...options }: ListingOptions,
  listing: Listing<I, O, T>,
): Promise<{ readonly items: readonly T[]; readonly revision: string }> {
  const items: T[] = [];
  let revision = '';
  for await (const page of askPages(client, options, listing)) {
    for (const item of listing.itemsOf(page)) items.push(item);
    revision = page.info?.revision ?? '';
  }
  return { items, revision };
}

/** Prints a list: a line for each element, or with --json the message of the wire, all pages as one. */
export async function printListing<I extends DescMessage, O extends DescMessage, T>(
  client: Client,
  options: ListingOptions,
  listing: Listing<I, O, T> & {
    readonly lineOf: (item: T) => string;
    /** What is said where there is nothing: "no binding". */
    readonly none: string;
  },
): Promise<void> {
  const pages = askPages(client, options, listing);
  if (options.json) await printMerged(pages, listing);
  else await printAll(toLines(pages, listing.itemsOf, listing.lineOf, listing.none));
}

async function* toLines<A extends Listed, T>(
  pages: AsyncIterable<A>,
  itemsOf: (answer: A) => readonly T[],
  lineOf: (item: T) => string,
  none: string,
): AsyncGenerator<string> {
  const colours = coloursOf(process.stderr);
  let isEmpty = true;
  let next = '';
  for await (const page of pages) {
    const lines = itemsOf(page).map(lineOf);
    if (lines.length > 0) yield `${lines.join('\n')}\n`;
    isEmpty &&= lines.length === 0;
    next = page.info?.nextPageToken ?? '';
  }
  if (isEmpty) note(colours.dim(none));
  if (next !== '') note(colours.yellow(`there is more: add --page-token ${next}`));
}

async function printMerged<I extends DescMessage, O extends DescMessage, T>(
  pages: AsyncIterable<MessageShape<O> & Listed>,
  { method, itemsOf }: Listing<I, O, T>,
): Promise<void> {
  let whole: (MessageShape<O> & { info?: ListInfo }) | undefined;
  for await (const page of pages) {
    if (whole === undefined) {
      whole = page;
      continue;
    }
    for (const item of itemsOf(page)) itemsOf(whole).push(item);
    if (page.info !== undefined) whole.info = page.info;
  }
  if (whole !== undefined) printJson(toJson(method.output, whole, { alwaysEmitImplicit: true }));
}

/** @param name What was asked for, among those that are there. */
export function notFound(what: string, name: string, known: readonly string[]): PosternError {
  const meant = suggest(name, known);
  const hint = meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
  return new PosternError('NOT_FOUND', `there is no ${visible(what)}${visible(hint)}`);
}
