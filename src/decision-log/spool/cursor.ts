/**
 * How far a tenant's spool was brought to the sink, on disk: a small file that is replaced as a whole. It may be some
 * batches behind, which then go to the sink again. Used by the tenant's spool.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type ChainState, newChain } from '../chain/chain.ts';

export interface Cursor {
  /** The segment, by its number, and the bytes of it that the sink has. */
  readonly segment: number;
  readonly offset: number;
  /** Where the chain stood there: what there is to go on from when nothing waits. */
  readonly chain: ChainState;
}

export const atStart: Cursor = { segment: 1, offset: 0, chain: newChain };

/** What was saved; the start where nothing was, and undefined where it cannot be read. */
export async function readCursor(path: string): Promise<Cursor | undefined> {
  try {
    const { segment, offset, seq, hash } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    if (!isCount(segment) || !isCount(offset) || !isCount(seq) || typeof hash !== 'string') return undefined;
    if (segment === atStart.segment && offset === 0) return atStart;
    return { segment, offset, chain: { lastSeq: seq, hash } };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? atStart : undefined;
  }
}

/** Every cursor is as long as every other: it is written over the last one in one go, for which a full disk has room, too. */
const cursorBytes = 160;

export async function writeCursor(path: string, { segment, offset, chain }: Cursor): Promise<void> {
  const text = `${JSON.stringify({ segment, offset, seq: chain.lastSeq, hash: chain.hash }).padEnd(cursorBytes - 1)}\n`;
  try {
    // In its place: this comes many times a second, and a rename makes a file system write more than its name.
    await writeFile(path, text, { flag: 'r+' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await writeFile(`${path}.tmp`, text, { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
