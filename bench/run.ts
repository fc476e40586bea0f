/**
 * `npm run bench`: measures what the project promises, prints the table, and
 * saves it in docs/benchmark.md. Name parts to run only those (the table is
 * not saved then): npm run bench -- decide check
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
import { millionRows } from './rows/million.ts';
import { overloadRows } from './rows/overload.ts';
import { streamRows } from './rows/stream.ts';
import { tenantRows } from './rows/tenants.ts';
import { visibilityRows } from './rows/visibility.ts';

const parts: Readonly<Record<string, (directory: string) => Promise<Row[]>>> = {
  check: checkRows,
  batch: batchRows,
  stream: streamRows,
  decide: decideRows,
  list: listObjectsRows,
  visibility: visibilityRows,
  administration: administrationRows,
  overload: overloadRows,
  tenants: tenantRows,
  million: millionRows,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0) fail(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
if (!(await hasH2load())) fail('h2load is missing; install it: apt-get install nghttp2-client');

const directory = await mkdtemp(join(tmpdir(), 'postern-bench-'));
const loadBefore = (loadavg()[0] as number).toFixed(1);
const rows: Row[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  const measured = await measure(directory);
  for (const row of measured) process.stderr.write(`${toLine(row)}\n`);
  rows.push(...measured);
}
await rm(directory, { recursive: true });

const table = format(rows);
process.stdout.write(table);
if (asked.length === 0) await writeFile(fileURLToPath(new URL('../docs/benchmark.md', import.meta.url)), table);
process.exitCode = rows.some((row) => row.kept === false) ? 1 : 0;

function format(measured: readonly Row[]): string {
  const setting = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores shared by load generator, sidecar and Redis; ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}; load average before it began ${loadBefore}; ${new Date().toISOString().slice(0, 10)}`;
  return [
    '# Benchmark',
    '',
    `Written by \`npm run bench\`. ${setting}.`,
    '',
    '| what | measured | promised | kept | how |',
    '|---|---|---|---|---|',
    ...measured.map(toLine),
    '',
  ].join('\n');
}

function toLine({ what, measured, atLeast, kept, how }: Row): string {
  const verdict = kept === undefined ? '' : kept ? 'yes' : '**no**';
  return `| ${what} | ${measured} | ${atLeast} | ${verdict} | ${how} |`;
}

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}
