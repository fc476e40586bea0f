/** Work that takes turns: commits of one process to one tenant would only be in each other's way. */
import { PosternError } from '../model/errors.ts';

/**
 * Runs work for a key after all work that was given for it before; what fails does not hold up the next.
 * @throws PosternError LIMIT_EXCEEDED where too much is waiting already
 */
export type InTurn = <T>(key: object, work: () => Promise<T>) => Promise<T>;

interface Line {
  last: Promise<unknown>;
  waiting: number;
}

/**
 * @param mostWaiting Pieces of work that may wait or run for one key.
 * @param what Words for them.
 */
export function createTurns(mostWaiting: number, what = 'changes to this tenant'): InTurn {
  const lines = new WeakMap<object, Line>();
  return async (key, work) => {
    const line = lines.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    lines.set(key, line);
    if (line.waiting >= mostWaiting) {
      throw new PosternError('LIMIT_EXCEEDED', `${mostWaiting} ${what} are waiting here; try again later`);
    }
    line.waiting++;
    const turn = line.last.then(work);
    // The next one waits for this one's end, however it ends.
    line.last = turn.then(
      () => void line.waiting--,
      () => void line.waiting--,
    );
    return turn;
  };
}
