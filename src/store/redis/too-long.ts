/**
 * Whether Redis takes a text of this length at all. It answers one that is over its `proto-max-bulk-len` and hangs up;
 * over its `client-query-buffer-limit` it hangs up without a word, as a network does that fails. So it is asked again,
 * and then it is the text: twice cut off, with an answer to something short after each time. Used by decision-client.
 */
import { messageOf } from '../../model/errors.ts';

/** Neither limit can be set lower than 1 MiB; the rest is for what surrounds a text. */
const neverTooLongBytes = 1024 * 1024 - 1024;

/**
 * @param send Sends the text. It may come twice.
 * @param ask Sends something short to the same node; rejects where there is no answer.
 * @throws what send or ask throws where that is not about the length
 */
export async function sendOrTooLong<T>(
  text: string,
  send: () => Promise<T>,
  ask: () => Promise<unknown>,
): Promise<T | 'too_long'> {
  for (let cuts = 1; ; cuts++) {
    try {
      return await send();
    } catch (error) {
      const message = messageOf(error);
      const isTold = message.includes('invalid bulk length');
      if (!isTold && (!isCut(error) || Buffer.byteLength(text) < neverTooLongBytes)) throw error;
      await untilAnswered(ask);
      if (isTold || cuts === 2) return 'too_long';
    }
  }
}

/** What comes next may still be sent over the connection that Redis is hanging up. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt === 3 || !isCut(error)) throw error;
    }
  }
}

/** Whether the connection ended before the answer, in the client's words or the system's. */
function isCut(error: unknown): boolean {
  const message = messageOf(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    message === 'Connection is closed.' ||
    message.startsWith('Reached the max retries')
  );
}
