/**
 * What `postern audit query` does: reads all sources side by side, in the order of time, and prints each record once,
 * also where it stands in several of them or was delivered twice.
 */
import { existsSync } from 'node:fs';
import type { ReadOptions, ReadRecord, RecordFilter } from '../decision-log/filter.ts';
import { mergeByTime } from '../decision-log/merge.ts';
import { readFiles } from '../decision-log/read-files.ts';
import { readStream } from '../decision-log/read-stream.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import { type LogSources, listTenants } from './log-sources.ts';
import { openStream, sayWhereLogsAre } from './open-log.ts';
import { coloursOf, count, note, print } from './output.ts';
import { describeRecord } from './records.ts';

/** So many of the newest records are remembered: copies of one stand near each other in time. */
const rememberedRecords = 250_000;

/** @throws PosternError STORE_UNAVAILABLE */
export async function queryLogs(
  sources: LogSources,
  filter: RecordFilter,
  { limit = Number.POSITIVE_INFINITY, json }: { readonly limit?: number; readonly json?: true },
): Promise<ExitCode> {
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  const { dim, yellow } = coloursOf(process.stderr);
  const colours = coloursOf(process.stdout);
  const reading: ReadOptions = {
    from: 'start',
    follow: false,
    filter,
    signal: ending.signal,
    onGarbage: ({ where, problem }) => note(yellow(`${where}: ${problem}`)),
  };
  let printed = 0;
  for await (const { record, line } of once(openSources(sources, reading))) {
    if (printed === limit) {
      note(dim(`there are more; these are the ${count(limit, 'oldest record')} that match`));
      break;
    }
    printed++;
    print(json ? line : describeRecord(record, colours));
    // A slow reader of the pipe must not fill this process's memory.
    if (process.stdout.writableNeedDrain) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  if (ending.signal.aborted) return exitCodes.interrupted;
  if (printed === 0) note(dim('no record in the log matches'));
  return exitCodes.ok;
}

async function* openSources({ paths, redis, tenants }: LogSources, reading: ReadOptions): AsyncGenerator<ReadRecord> {
  for (const path of paths) if (!existsSync(path)) sayWhereLogsAre(path, false);
  const readers = paths.map((path) => readFiles(path, reading));
  const stream = redis === undefined ? undefined : await openStream({ ...redis, dir: '' });
  try {
    if (stream !== undefined) {
      for (const tenant of tenants ?? (await listTenants(stream)))
        readers.push(readStream(stream.client, tenant, reading));
    }
    yield* mergeByTime(readers, reading.signal);
  } finally {
    await stream?.close();
  }
}

/** Each record the first time that it comes. */
async function* once(records: AsyncGenerator<ReadRecord>): AsyncGenerator<ReadRecord> {
  const seen = new Set<string>();
  for await (const read of records) {
    const { record, line } = read;
    const key = 'id' in record ? record.id : (record.hash ?? line);
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > rememberedRecords) seen.delete(seen.values().next().value as string);
    yield read;
  }
}
