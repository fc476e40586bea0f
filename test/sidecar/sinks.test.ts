// Whole sidecars that record their decisions as the options say: to a collector, and to files of which few are kept.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/config/parse-options.ts';
import { parseRecord } from '../../src/decision-log/record.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { formatAddress } from '../../src/server/address.ts';
import { startSidecar } from '../../src/sidecar/sidecar.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createGrpcClient, unary } from '../server/grpc-client.ts';
import { startCollector } from '../setup/otlp-collector.ts';

const logger = createLogger({ level: 'silent', format: 'json' });
const question = { subject: 'user:alice', action: 'read', object: 'doc:1' };
const closers: (() => Promise<unknown>)[] = [];
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-sinks-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'policy.yaml'), 'version: 1\n');
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(flags: Readonly<Record<string, string>>) {
  const spool = { decisionLogSpoolDir: join(directory, 'spool') };
  const all = { policy: join(directory, 'policy.yaml'), grpcAddress: '127.0.0.1:0', http: false, ...spool, ...flags };
  const options = parseOptions({ flags: all, env: {}, suggest: () => undefined, instance: 'a' });
  const sidecar = await startSidecar(options, logger);
  closers.push(() => sidecar.close(0));
  await sidecar.ready;
  const { grpcAddress } = sidecar.servers;
  const client = createGrpcClient(grpcAddress ? formatAddress(grpcAddress) : '');
  closers.push(async () => client.close());
  return { sidecar, ask: () => unary(client, DecisionService.method.check, question) };
}

test('decisions go to a collector, those that it missed while it was away too', async () => {
  const collector = await startCollector();
  closers.push(() => collector.stop());
  const { sidecar, ask } = await start({ decisionLog: 'otlp', decisionLogOtlpUrl: collector.url.href });
  const ids = [(await ask()).decision?.decisionId];
  await vi.waitFor(() => expect(collector.records.length).toBeGreaterThan(0), { timeout: 10_000 });
  await collector.stop();
  ids.push((await ask()).decision?.decisionId, (await ask()).decision?.decisionId);
  await collector.start();
  await sidecar.close(10_000);
  const records = collector.records.map(({ body }) => parseRecord(String(body)));
  const decisions = records.filter((record) => record.type === undefined);
  expect([...new Set(decisions.map((record) => record.id))]).toEqual(ids);
  // What a collector has kept is enough to verify the chain; a batch that it missed half-way may have come twice.
  let previous = '';
  for (const line of new Set(collector.records.map(({ body }) => String(body)))) {
    const [text = '', hash] = line.split(',"hash":"');
    previous = createHash('sha256').update(`${previous}${text}`).digest('base64url');
    expect(hash).toBe(`${previous}"}`);
  }
});

test('a collector whose headers cannot be read ends the start, with the option', async () => {
  const flags = { decisionLog: 'otlp', decisionLogOtlpHeaders: join(directory, 'none') };
  await expect(start(flags)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('--decision-log-otlp-headers'),
  });
});

test('of complete files so many are kept as the options say', async () => {
  const flags = { decisionLogDir: join(directory, 'log'), decisionLogRotateBytes: '1', decisionLogMaxFiles: '2' };
  const { sidecar, ask } = await start({ ...flags, decisionLogInterval: '0ms' });
  const files = () => readdir(join(directory, 'log', 'default')).catch(() => []);
  await vi.waitFor(
    async () => {
      await ask();
      expect(await files()).toContain('decisions-a.000004.ndjson');
    },
    { timeout: 10_000 },
  );
  await sidecar.close(10_000);
  expect((await files()).length).toBeLessThanOrEqual(3);
});
