/**
 * What an earlier process left in the files of a tenant's spool: where the chain stands, from where on the sink has
 * nothing, and whether the files are as a process leaves them. Somebody may have changed or removed them since: then
 * all that is there goes to the sink, again where it has it, and no number is given twice. Used by the tenant's spool.
 */
import type { AppendFile } from '../append-file.ts';
import { type ChainState, hashOf, isLinked, newChain } from '../chain/chain.ts';
import type { Before } from '../chain/marks.ts';
import { atStart, type Cursor } from './cursor.ts';
import { lastOf, numberIn } from './last-line.ts';

export interface SpoolFile {
  readonly number: number;
  readonly file: AppendFile;
}

export interface Left {
  /** Where the sink goes on. */
  readonly start: Cursor;
  readonly chain: ChainState;
  readonly before: Before;
  /** What is not as a process leaves it, in words; undefined where all is. */
  readonly damage: string | undefined;
}

interface End {
  readonly chain: ChainState;
  readonly isStop: boolean;
  /** Whether its last line is the one that was written there. */
  readonly isSound: boolean;
}

/** The number of the first file of a spool. */
const firstNumber = 2;
/** More than a hash and what ends a line. */
const tailBytes = 64;

/**
 * @param files By number.
 * @param cursor Undefined where it is there and cannot be read; `atStart` where there is none.
 */
export async function resume(files: readonly SpoolFile[], cursor: Cursor | undefined): Promise<Left> {
  const end = await findEnd(files);
  const hasCursor = cursor !== undefined && cursor !== atStart;
  const isTrusted = hasCursor && (await agrees(files, cursor));
  const damage = damageOf(files, end, cursor, isTrusted);
  if (damage === undefined && end === undefined && !hasCursor) {
    return { start: atStart, chain: newChain, before: 'nothing', damage };
  }
  const first = files[0];
  const start = isTrusted || (hasCursor && first === undefined) ? cursor : { ...atStart, segment: first?.number ?? 1 };
  const known = hasCursor ? cursor.chain : newChain;
  // What the sink has is the least that there was.
  const isBehind = end === undefined || (hasCursor && !isTrusted && end.chain.lastSeq <= known.lastSeq);
  const chain = isBehind ? known : { ...end.chain, lastSeq: Math.max(end.chain.lastSeq, known.lastSeq) };
  const isStop = end?.isStop === true && damage === undefined;
  return { start, chain, before: isStop ? 'stop' : 'crash', damage };
}

function damageOf(
  files: readonly SpoolFile[],
  end: End | undefined,
  cursor: Cursor | undefined,
  isTrusted: boolean,
): string | undefined {
  if (cursor === undefined) return 'how far the sink had it cannot be read';
  if (cursor === atStart) {
    if (files.length > 0 && files[0]?.number !== firstNumber) return 'a file is missing at its beginning';
  } else if (!isTrusted) return 'what the sink had last is not where it was';
  for (const [i, { number, file }] of files.entries()) {
    if (i > 0 && number !== (files[i - 1] as SpoolFile).number + 1) return `a file is missing before number ${number}`;
    // A file is begun when there is something to write, and the one after it when it is full.
    if (file.size === 0 && i < files.length - 1) return `file number ${number} is empty`;
  }
  return end?.isSound === false ? 'its last line is not what was written' : undefined;
}

/** Whether a file holds, where the cursor points to, the end of the line that it tells of. */
async function agrees(files: readonly SpoolFile[], { segment, offset, chain }: Cursor): Promise<boolean> {
  const at = files.find(({ number }) => number === segment);
  if (at === undefined || offset > at.file.size) return false;
  if (offset === 0) return true;
  const from = Math.max(0, offset - tailBytes);
  return hashOf((await at.file.read(from, offset - from)).toString('utf8')) === chain.hash;
}

async function findEnd(files: readonly SpoolFile[]): Promise<End | undefined> {
  const filled = files.filter(({ file }) => file.size > 0);
  const last = filled.pop();
  if (last === undefined) return undefined;
  const lines = await linesOf(last);
  const [before, line] = [lines.at(-2), lines.at(-1) as string];
  // The first line of a file follows from one that may be gone.
  const isSound = before === undefined || isLinked(`${before}\n`, `${line}\n`);
  let told = lastOf(lines.toReversed());
  // A file may tell of nothing but what was refused, whose numbers are past.
  for (let at = filled.pop(); told === undefined && at !== undefined; at = filled.pop()) {
    told = lastOf((await linesOf(at)).toReversed());
  }
  const lastSeq = Math.max(told?.lastSeq ?? 0, isSound ? 0 : greatestIn(lines));
  return { chain: { hash: hashOf(`${line}\n`), lastSeq }, isStop: told?.isStop === true, isSound };
}

async function linesOf({ file }: SpoolFile): Promise<string[]> {
  const lines = (await file.read(0, file.size)).toString('utf8').split('\n');
  lines.pop();
  return lines;
}

function greatestIn(lines: readonly string[]): number {
  return lines.reduce((greatest, line) => Math.max(greatest, numberIn(line) ?? 0), 0);
}
