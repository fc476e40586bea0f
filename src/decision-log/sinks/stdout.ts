/**
 * Records as lines on a stream, for platforms that collect what a container
 * prints. The stream is not closed here: it belongs to the process.
 */
import type { Writable } from 'node:stream';
import { type Batch, noneRefused, type Refused, type Sink } from '../sink.ts';

export function createStreamSink(stream: Writable, description: string): Sink {
  // Without a listener a closed pipe would end the process; each write is told by its callback.
  const onError = () => {};
  stream.on('error', onError);
  return {
    description,
    async write(batch: Batch): Promise<Refused> {
      await writeText(stream, batch.parts.join(''));
      return noneRefused;
    },
    async close() {
      stream.off('error', onError);
    },
  };
}

function writeText(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
