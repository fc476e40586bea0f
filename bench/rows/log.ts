/**
 * What the decision log costs: off and on, with Redis there, 50 ms away, and gone, in each mode; and how an outage of ten
 * minutes is caught up with.
 */
import { checksPerSecond, createLogSetting, type LoggedSidecar, type LogSetting } from '../log-setting.ts';
import { inTurn, median, percentile, type Row, ratios, thousands } from '../measure.ts';

const rounds = 3;
const requests = 40_000;
const roundMs = 3_000;
const modes = ['spool', 'block', 'drop-oldest', 'drop-newest'] as const;
/** Ten minutes of 1,000 decisions a second. */
const outageThousands = 600;
const slowMs = 50;

export async function logRows(directory: string): Promise<Row[]> {
  const setting = await createLogSetting(directory);
  const rows = [await throughputRow(setting)];
  for (const mode of modes) rows.push(...(await outageRows(setting, mode)));
  rows.push(await slowRow(setting), await catchUpRow(setting));
  await setting.close();
  return rows;
}

async function throughputRow(setting: LogSetting): Promise<Row> {
  const off = await setting.start('off', '--decision-log=off');
  const file = await setting.start('file', '--decision-log=file');
  const redis = await setting.start('redis', '--decision-log=redis');
  const all = [off, file, redis].map((sidecar) => () => sidecar.rate(requests));
  await inTurn(1, ...all);
  const [without, files, streams] = (await inTurn(rounds, ...all)) as [number[], number[], number[]];
  const lost = (await file.metric('dropped_total')) + (await redis.metric('dropped_total'));
  for (const { child } of [off, file, redis]) await child.stop();
  const share = median(ratios(files, without));
  return {
    what: 'unary Check with the log on (spool, files) / on (spool, Redis), against off',
    measured: `${share.toFixed(2)} / ${median(ratios(streams, without)).toFixed(2)} (${thousands(median(files))} / ${thousands(median(streams))} of ${thousands(median(without))} requests/s; ${lost} dropped)`,
    atLeast: '0.85 (files)',
    kept: share >= 0.85 && lost === 0,
    how: `h2load -c 8 -m 16 -t 1, ${thousands(requests)} requests, median of ${rounds} rounds in turn; Redis behind a proxy in Node, on the same two cores`,
  };
}

/** p99 at a fixed rate with the sink up and down in turn, and what a full load does to memory and records while it is down. */
async function outageRows(setting: LogSetting, mode: (typeof modes)[number]): Promise<Row[]> {
  const small = mode === 'spool' ? [] : ['--decision-log-buffer-bytes=16MiB'];
  const sidecar = await setting.start(`mode-${mode}`, '--decision-log=redis', `--decision-log-mode=${mode}`, ...small);
  await sidecar.latenciesMs(roundMs);
  const up: (readonly number[])[] = [];
  const down: (readonly number[])[] = [];
  for (let round = 0; round < rounds; round++) {
    up.push(await sidecar.latenciesMs(roundMs));
    await goAway(setting);
    down.push(await sidecar.latenciesMs(roundMs));
    await comeBack(setting, sidecar);
  }
  const p99 = (times: readonly (readonly number[])[]) => times.map((round) => percentile(round, 0.99));
  const ratio = median(ratios(p99(down), p99(up)));
  await goAway(setting);
  const before = sidecar.residentBytes();
  // In mode block whoever asks waits for the sink, and a load would never end.
  const rate = mode === 'block' ? 0 : await sidecar.rate(requests * 3);
  const after = sidecar.residentBytes();
  const waits = `${thousands(await sidecar.metric('pending_records'))} wait in memory, ${megabytes(await sidecar.metric('spool_bytes'))} on disk`;
  await comeBack(setting, sidecar);
  const dropped = await sidecar.metric('dropped_total');
  await sidecar.child.stop();
  const load =
    mode === 'block'
      ? ''
      : `; ${thousands(rate)} requests/s at full load: ${waits}, ${thousands(dropped)} dropped and told`;
  return [
    {
      what: `Check p99 with Redis gone, mode ${mode}, against Redis there`,
      measured: `${ratio.toFixed(1)} times (p50 / p99: ${pair(down)} against ${pair(up)} ms)${load}; resident ${megabytes(before)} before, ${megabytes(after)} after`,
      atLeast: mode === 'spool' ? 'at most 1.5 times, none dropped' : '',
      kept: mode === 'spool' ? ratio <= 1.5 && dropped === 0 : undefined,
      how: `${checksPerSecond} checks/s over the Unix socket, ${rounds} pairs of ${roundMs / 1_000} s in turn; then ${thousands(requests * 3)} requests by h2load; ${small[0] ?? 'default bounds'}`,
    },
  ];
}

async function slowRow(setting: LogSetting): Promise<Row> {
  const sidecar = await setting.start('slow', '--decision-log=redis');
  await sidecar.latenciesMs(roundMs);
  const near: (readonly number[])[] = [];
  const far: (readonly number[])[] = [];
  for (let round = 0; round < rounds; round++) {
    near.push(await sidecar.latenciesMs(roundMs));
    setting.proxy.delay(slowMs);
    far.push(await sidecar.latenciesMs(roundMs));
    setting.proxy.delay(0);
  }
  await sidecar.rate(requests);
  setting.proxy.delay(slowMs);
  const rate = await sidecar.rate(requests);
  setting.proxy.delay(0);
  const dropped = await sidecar.metric('dropped_total');
  await sidecar.child.stop();
  const p99 = (times: readonly (readonly number[])[]) => times.map((round) => percentile(round, 0.99));
  return {
    what: `Check p99 with Redis ${slowMs} ms away in each direction, mode spool, against near`,
    measured: `${median(ratios(p99(far), p99(near))).toFixed(1)} times (p50 / p99: ${pair(far)} against ${pair(near)} ms); ${thousands(rate)} requests/s at full load, ${dropped} dropped`,
    atLeast: '',
    kept: undefined,
    how: `${checksPerSecond} checks/s over the Unix socket, ${rounds} pairs of ${roundMs / 1_000} s in turn; then ${thousands(requests)} requests by h2load`,
  };
}

async function catchUpRow(setting: LogSetting): Promise<Row> {
  const sidecar = await setting.start('outage', '--decision-log=redis');
  await goAway(setting);
  await sidecar.decide(outageThousands);
  const spooled = await sidecar.metric('spool_bytes');
  const idle = await sidecar.latenciesMs(roundMs);
  const startedMs = performance.now();
  await setting.proxy.restore();
  let seconds = 0;
  const caughtUp = waitUntil(async () => (await sidecar.metric('spool_bytes')) === 0).then(() => {
    seconds = (performance.now() - startedMs) / 1_000;
  });
  const busy = await sidecar.latenciesMs(roundMs);
  await caughtUp;
  const dropped = await sidecar.metric('dropped_total');
  await sidecar.child.stop();
  return {
    what: `catching up with ten minutes of outage at 1,000 decisions/s while serving ${checksPerSecond} checks/s`,
    measured: `${seconds.toFixed(1)} s for ${thousands(outageThousands * 1_000)} records (${megabytes(spooled)} on disk), ${dropped} dropped; Check p50 / p99 meanwhile ${pair([busy])} ms, before ${pair([idle])} ms`,
    atLeast: '',
    kept: undefined,
    how: 'from when Redis can be reached again until the spool is empty, one sidecar, Redis on the same two cores; the outage is made short: its decisions come by batches',
  };
}

async function goAway({ proxy }: LogSetting): Promise<void> {
  await proxy.refuse();
  proxy.cut('reset');
}

async function comeBack({ proxy }: LogSetting, sidecar: LoggedSidecar): Promise<void> {
  await proxy.restore();
  await waitUntil(async () => (await sidecar.metric('spool_bytes')) + (await sidecar.metric('pending_records')) === 0);
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

function pair(times: readonly (readonly number[])[]): string {
  return [0.5, 0.99].map((share) => median(times.map((round) => percentile(round, share))).toFixed(2)).join(' / ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
