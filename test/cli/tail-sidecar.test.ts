// From where a tail goes on through a sidecar that was away: from when it could last read everything.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import type { Client } from '../../src/cli/client.ts';
import { tailSidecar } from '../../src/cli/tail-sidecar.ts';
import { type TailRequest, TailResponseSchema } from '../../src/gen/postern/v1/decision_log_service_pb.ts';
import { PosternError } from '../../src/model/errors.ts';
import { someTime } from '../decision-log/entries.ts';

const minuteMs = 60_000;
const heard = (atMs: number, problem = '') =>
  create(TailResponseSchema, { heartbeat: { time: timestampFromMs(atMs), problem } });

/** The time from which it asks again, in minutes, where the first stream ends with these signs of life. */
async function asksFrom(...responses: ReturnType<typeof heard>[]): Promise<number | undefined> {
  const ending = new AbortController();
  const starts: TailRequest['start'][] = [];
  const stream = async function* (_: unknown, { start }: TailRequest) {
    starts.push(start);
    if (starts.length === 2) return;
    yield* responses;
    throw new PosternError('STORE_UNAVAILABLE', 'gone');
  };
  const client = { stream } as unknown as Client;
  const tailing = { tenants: [], selection: {}, from: 'end', follow: true } as const;
  for await (const _ of tailSidecar(client, tailing, '', ending.signal));
  const start = starts[1];
  return start?.case === 'since' ? (timestampMs(start.value) - someTime) / minuteMs : undefined;
}

test('what is written late while nothing could be read is asked for again', async () => {
  const problem = 'cannot read the decisions of tenant default';
  expect(await asksFrom(heard(someTime), heard(someTime + 10 * minuteMs))).toBe(9);
  expect(await asksFrom(heard(someTime), heard(someTime + 10 * minuteMs, problem))).toBe(-1);
  expect(await asksFrom(heard(someTime, problem), heard(someTime + minuteMs, problem))).toBe(-1);
});
