import { afterEach, expect, test } from 'vitest';
import { createMetrics, type MetricSources, metricsDocument } from '../../src/telemetry/metrics.ts';

const decisions = { check: { allowed: 3, denied: 1 }, batch: { allowed: 0, denied: 0 } };
const log = {
  appended: 9,
  written: 5,
  dropped: 1,
  failedWrites: 2,
  leftOut: 7,
  pendingRecords: 3,
  pendingBytes: 1_500,
  delivered: 4,
  refused: 1,
  spoolBytes: 700,
  behindMs: 2_500,
  mode: 'spool',
};
const errors: Record<string, number> = { INVALID_SUBJECT: 4 };

const sources: MetricSources = {
  decisions: () => decisions,
  decisionLog: () => log,
  snapshots: () => [
    { tenant: 'a"b', revision: 7, behindSeconds: 1.5, loads: 1, applied: 6, failures: 0, bytes: 9_000 },
    { tenant: '*', revision: undefined, behindSeconds: 0, loads: 2, applied: 0, failures: 0, bytes: 0 },
  ],
  tenants: () => ({ loaded: 2, evicted: 5, loadsWaiting: 3 }),
  requestErrors: () => errors,
  load: () => ({ inFlight: 3, heldBytes: 4_096, shed: { queue_delay: 0, in_flight: 8, held_bytes: 0 } }),
};

const metrics = createMetrics(sources);
afterEach(() => metrics.close());

test('docs/metrics.md is what the registry says (vitest -u writes it)', async () => {
  await expect(await metricsDocument(metrics)).toMatchFileSnapshot('../../docs/metrics.md');
});

test.for([
  'postern_decisions_total{source="check",allowed="true"} 3',
  'postern_decisions_total{source="check",allowed="false"} 1',
  'postern_decisions_total{source="batch",allowed="true"} 0',
  'postern_request_errors_total{code="INVALID_SUBJECT"} 4',
  'postern_requests_shed_total{reason="in_flight"} 8',
  'postern_requests_shed_total{reason="held_bytes"} 0',
  'postern_requests_in_flight 3',
  'postern_requests_held_bytes 4096',
  'postern_decision_log_appended_total 9',
  'postern_decision_log_written_total 5',
  'postern_decision_log_dropped_total 1',
  'postern_decision_log_failed_writes_total 2',
  'postern_decision_log_delivered_total 4',
  'postern_decision_log_refused_total 1',
  'postern_decision_log_spool_bytes 700',
  'postern_decision_log_behind_seconds 2.5',
  'postern_decision_log_mode{mode="spool"} 1',
  'postern_decision_log_pending_records 3',
  'postern_decision_log_pending_bytes 1500',
  'postern_snapshot_revision{tenant="a\\"b"} 7',
  'postern_snapshot_behind_seconds{tenant="a\\"b"} 1.5',
  'postern_snapshot_applied_total{tenant="a\\"b"} 6',
  'postern_snapshot_bytes{tenant="a\\"b"} 9000',
  'postern_snapshot_loads_total{tenant="*"} 2',
  'postern_tenants_loaded 2',
  'postern_tenants_evicted_total 5',
  'postern_tenant_loads_waiting 3',
])('%s', async (line) => {
  expect((await metrics.text()).split('\n')).toContain(line);
});

test('what stands for several tenants has no revision', async () => {
  expect(await metrics.text()).not.toContain('postern_snapshot_revision{tenant="*"}');
});

test('each reading gives the counters as they are then, not their sum', async () => {
  await metrics.text();
  decisions.check.allowed++;
  expect(await metrics.text()).toContain('postern_decisions_total{source="check",allowed="true"} 4\n');
});

test('the lag of the event loop is told in three quantiles, and never negative', async () => {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('postern_event_loop_lag_seconds{'));
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    'postern_event_loop_lag_seconds{quantile="0.5"}',
    'postern_event_loop_lag_seconds{quantile="0.99"}',
    'postern_event_loop_lag_seconds{quantile="1"}',
  ]);
  for (const line of lines) expect(Number(line.split(' ')[1])).toBeGreaterThanOrEqual(0);
});

test('every name begins with postern_', async () => {
  const described = await metrics.describe();
  expect(described.length).toBeGreaterThan(10);
  expect(described.filter(({ name }) => !name.startsWith('postern_'))).toEqual([]);
});
