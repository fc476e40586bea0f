/**
 * Finds one decision in a log by its id. The id says when it was made, so that only a part of the log is read. Called
 * by `postern audit explain`.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { timeOfId } from '../decision-log/ids.ts';
import { findLogFiles, readLines } from '../decision-log/log-files.ts';
import { entryIdBefore, type StreamClient } from '../decision-log/read-stream.ts';
import { type DecisionRecord, parseRecord } from '../decision-log/record.ts';
import { PosternError } from '../model/errors.ts';
import { defaultTenant } from '../model/names.ts';
import type { LogPlace } from './log-options.ts';
import { openStream, sayWhereLogsAre } from './open-log.ts';

/** How far the clocks of a sidecar and of the file system may be apart. */
const clockSkewMs = 5 * 60_000;
const entriesPerRead = 1_000;

/** @throws PosternError NOT_FOUND, STORE_UNAVAILABLE; STORE_CORRUPT for a damaged record */
export async function findDecision(place: LogPlace, id: string): Promise<DecisionRecord> {
  const { redis, tenant } = place;
  const line = await (redis === undefined ? findInFiles(place.dir, id) : findInStream({ ...place, redis }, id));
  const record = line === undefined ? undefined : parseRecord(line);
  if (record !== undefined && record.type === undefined && (tenant === undefined || tenant === record.tenant)) {
    return record;
  }
  const where = redis === undefined ? place.dir : `the decisions of tenant ${tenant ?? defaultTenant}`;
  const message = `there is no decision ${id} in ${where}; it may have been filtered, sampled or trimmed, or be in another log`;
  throw new PosternError('NOT_FOUND', message);
}

/** The line of a record holds its id in this form, whatever it holds otherwise. */
function isOf(line: string, id: string): boolean {
  return line.includes(`"id":"${id}"`) && (JSON.parse(line) as { readonly id?: unknown }).id === id;
}

async function findInFiles(dir: string, id: string): Promise<string | undefined> {
  if (!existsSync(dir)) sayWhereLogsAre(dir, false);
  const notBefore = timeOfId(id) - clockSkewMs;
  for (const file of await findLogFiles(dir, new Map())) {
    // What was last written before the decision was made does not hold it.
    const { mtimeMs } = await stat(file.path);
    if (mtimeMs < notBefore) continue;
    for await (const { text } of readLines(file)) if (isOf(text, id)) return text;
  }
  return undefined;
}

async function findInStream(place: LogPlace & { readonly redis: string }, id: string): Promise<string | undefined> {
  const stream = await openStream(place);
  const tenant = place.tenant ?? defaultTenant;
  const start = entryIdBefore(timeOfId(id));
  try {
    // Records come late where Redis was away, and early only where its clock is behind.
    const found = await findBetween(stream.client, tenant, id, start, '');
    return found ?? (await findBetween(stream.client, tenant, id, '0-0', start));
  } catch (error) {
    if (error instanceof PosternError) throw error;
    throw new PosternError('STORE_UNAVAILABLE', `cannot read decisions in ${stream.description}`, {}, error);
  } finally {
    await stream.close();
  }
}

/** @param end The stream id to end at; empty is the end of the stream. */
async function findBetween(client: StreamClient, tenant: string, id: string, start: string, end: string) {
  let after = start;
  for (;;) {
    const entries = await client.read(tenant, after, entriesPerRead, 0);
    const found = entries.find(({ record }) => isOf(record, id));
    if (found !== undefined) return found.record;
    const last = entries.at(-1);
    if (last === undefined || (end !== '' && Number.parseInt(last.id, 10) > Number.parseInt(end, 10))) return undefined;
    after = last.id;
  }
}
