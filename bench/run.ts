/**
 * `npm run bench`: measures what the project promises, prints the rows, and
 * saves them in the table of docs/benchmark.md. Name parts to run only those;
 * the other rows stay as they are: npm run bench -- decide check
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasH2load } from './h2load.ts';
import type { Row } from './measure.ts';
import { administrationRows } from './rows/administration.ts';
import { batchRows } from './rows/batch.ts';
import { checkRows } from './rows/check.ts';
import { decideRows } from './rows/decide.ts';
import { listObjectsRows } from './rows/list-objects.ts';
import { logRows } from './rows/log.ts';
import { millionRows } from './rows/million.ts';
import { overloadRows } from './rows/overload.ts';
import { streamRows } from './rows/stream.ts';
import { tenantRows } from './rows/tenants.ts';
import { visibilityRows } from './rows/visibility.ts';
import { type DatedRow, pageWith, toLine } from './table.ts';
import { yardstickMs } from './yardstick.ts';

const parts: Readonly<Record<string, (directory: string) => Promise<Row[]>>> = {
  check: checkRows,
  batch: batchRows,
  stream: streamRows,
  decide: decideRows,
  list: listObjectsRows,
  visibility: visibilityRows,
  administration: administrationRows,
  log: logRows,
  overload: overloadRows,
  tenants: tenantRows,
  million: millionRows,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0) fail(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
if (!(await hasH2load())) fail('h2load is missing; install it: apt-get install nghttp2-client');

const directory = await mkdtemp(join(tmpdir(), 'postern-bench-'));
const rows: DatedRow[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  const on = nowAndHere();
  const measured = (await measure(directory)).map((row) => ({ ...row, on }));
  for (const row of measured) process.stdout.write(`${toLine(row)}\n`);
  rows.push(...measured);
}
await rm(directory, { recursive: true });

const path = fileURLToPath(new URL('../docs/benchmark.md', import.meta.url));
const setting = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores shared by load generator, sidecar and Redis; ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}`;
await writeFile(path, pageWith(path, rows, asked.length === 0, setting));
process.exitCode = rows.some((row) => row.kept === false) ? 1 : 0;

/** Whoever reads a figure should know whether the machine had other work, and how fast it was. */
function nowAndHere(): string {
  const load = (loadavg()[0] as number).toFixed(1);
  return `${new Date().toISOString().slice(0, 10)}, load average before ${load}, yardstick ${yardstickMs().toFixed(0)} ms`;
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
