/**
 * What the process tells Prometheus. The registry reads plain counters when it
 * is asked: nothing on the path of a check knows of it. Owns prom-client. Names
 * and meanings are in docs/metrics.md, and a test compares them.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

/** What happened to a tenant's snapshot since start. */
export interface SnapshotCounts {
  /** Whole loads, and change sets applied. */
  readonly loads: number;
  readonly applied: number;
  /** Loads and change sets that failed. */
  readonly failures: number;
}

/** Facts about a tenant's snapshot, or those of several tenants together. */
export interface SnapshotFacts extends SnapshotCounts {
  readonly tenant: string;
  /** The number of the revision; 0 without a snapshot, undefined where it stands for none. */
  readonly revision: number | undefined;
  /**
   * Seconds since the snapshot was last known to be the store's newest; 0 while it is. Without a snapshot, since it was
   * first looked for: what alerts on a policy that is too old has to see one that never came.
   */
  readonly behindSeconds: number;
  /** What it takes in memory, about. */
  readonly bytes: number;
}

/** Facts about tenants as a whole. */
export interface TenantFacts {
  /** With a snapshot in memory. */
  readonly loaded: number;
  /** Let go for want of memory, since start. */
  readonly evicted: number;
  /** Loads that wait for their turn. */
  readonly loadsWaiting: number;
}

/** Where values come from; each is called when metrics are read. */
export interface MetricSources {
  /** Decisions by source. */
  decisions(): Readonly<Record<string, { readonly allowed: number; readonly denied: number }>>;
  decisionLog(): {
    readonly leftOut: number;
    readonly appended: number;
    readonly written: number;
    readonly dropped: number;
    readonly failedWrites: number;
    readonly pendingRecords: number;
    readonly pendingBytes: number;
    readonly delivered: number;
    readonly refused: number;
    readonly spoolBytes: number;
    readonly behindMs: number;
    /** block, drop-newest, drop-oldest or spool; off where nothing is recorded. */
    readonly mode: string;
  };
  /** A bounded number of them: each is a line of every metric. */
  snapshots(): readonly SnapshotFacts[];
  tenants(): TenantFacts;
  /** Refused requests by error code. */
  requestErrors(): Readonly<Record<string, number>>;
  /** Requests in progress, and those that were refused because there was too much to do. */
  load(): {
    readonly inFlight: number;
    readonly heldBytes: number;
    readonly shed: Readonly<Record<string, number>>;
  };
}

export interface Metrics {
  /** Of the text. */
  readonly contentType: string;
  /** The exposition format of Prometheus. */
  text(): Promise<string>;
  /** Names, kinds, labels and meanings, for the documentation. */
  describe(): Promise<readonly { name: string; type: string; labels: readonly string[]; help: string }[]>;
  /** Stops measuring the event loop; idempotent. */
  close(): void;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** How often the event loop is asked for its delay, in milliseconds; part of every value that it gives. */
const lagResolutionMs = 20;

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
  lag.enable();
  const labelsOf = new Map<string, readonly string[]>();

  const add = (
    Kind: typeof Counter | typeof Gauge,
    name: string,
    help: string,
    labels: string[],
    read: () => Sample[],
  ) => {
    labelsOf.set(name, labels);
    const metric = new Kind({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      // The counters live elsewhere: each reading replaces what the registry holds.
      collect: () => {
        metric.reset();
        for (const [values, value] of read()) metric.inc(values, value);
      },
    });
  };
  const counter = (name: string, help: string, labels: string[], read: () => Sample[]) =>
    add(Counter, name, help, labels, read);
  const gauge = (name: string, help: string, labels: string[], read: () => Sample[]) =>
    add(Gauge, name, help, labels, read);
  const ofLog = (field: Exclude<keyof ReturnType<MetricSources['decisionLog']>, 'mode'>) => (): Sample[] => [
    [{}, sources.decisionLog()[field]],
  ];
  let snapshots: readonly SnapshotFacts[] = [];
  const ofSnapshots = (field: Exclude<keyof SnapshotFacts, 'tenant'>) => (): Sample[] =>
    snapshots.flatMap(({ tenant, [field]: value }): Sample[] => (value === undefined ? [] : [[{ tenant }, value]]));
  const ofTenants = (field: keyof TenantFacts) => (): Sample[] => [[{}, sources.tenants()[field]]];

  counter('postern_decisions_total', 'Decisions since start.', ['source', 'allowed'], () =>
    Object.entries(sources.decisions()).flatMap(([source, { allowed, denied }]): Sample[] => [
      [{ source, allowed: 'true' }, allowed],
      [{ source, allowed: 'false' }, denied],
    ]),
  );
  counter('postern_request_errors_total', 'Requests that failed, by error code; never denials.', ['code'], () =>
    Object.entries(sources.requestErrors()).map(([code, count]): Sample => [{ code }, count]),
  );
  counter('postern_requests_shed_total', 'Requests refused for want of capacity.', ['reason'], () =>
    Object.entries(sources.load().shed).map(([reason, count]): Sample => [{ reason }, count]),
  );
  gauge('postern_requests_in_flight', 'Requests that wait, take long or stream.', [], () => [
    [{}, sources.load().inFlight],
  ]);
  gauge('postern_requests_held_bytes', 'What these hold, by the size of what was sent.', [], () => [
    [{}, sources.load().heldBytes],
  ]);

  counter(
    'postern_decision_log_left_out_total',
    'Decisions of which no record is made, by filters and samples.',
    [],
    ofLog('leftOut'),
  );
  counter('postern_decision_log_appended_total', 'Decisions given to the log.', [], ofLog('appended'));
  counter(
    'postern_decision_log_written_total',
    'Decisions that are safe: on disk, or where they go.',
    [],
    ofLog('written'),
  );
  counter('postern_decision_log_delivered_total', 'Decisions that are where they go.', [], ofLog('delivered'));
  counter('postern_decision_log_refused_total', 'Of these, refused for good there: lost.', [], ofLog('refused'));
  counter('postern_decision_log_dropped_total', 'Decisions lost: any is a reason to look.', [], ofLog('dropped'));
  counter('postern_decision_log_failed_writes_total', 'Writes tried again.', [], ofLog('failedWrites'));
  gauge('postern_decision_log_pending_records', 'Decisions that wait to be written.', [], ofLog('pendingRecords'));
  gauge('postern_decision_log_pending_bytes', 'Memory that they take, about.', [], ofLog('pendingBytes'));
  gauge('postern_decision_log_spool_bytes', 'Written to disk, and not delivered yet.', [], ofLog('spoolBytes'));
  gauge('postern_decision_log_behind_seconds', 'For how long something has been on its way.', [], () => [
    [{}, sources.decisionLog().behindMs / 1_000],
  ]);
  gauge('postern_decision_log_mode', 'What a full buffer does; always 1.', ['mode'], () => [
    [{ mode: sources.decisionLog().mode }, 1],
  ]);

  gauge('postern_snapshot_revision', 'Number of the revision in force.', ['tenant'], ofSnapshots('revision'));
  gauge(
    'postern_snapshot_behind_seconds',
    'Seconds since the snapshot was last known to be the newest, 0 while it is; without one, since it was first looked for.',
    ['tenant'],
    ofSnapshots('behindSeconds'),
  );
  gauge('postern_snapshot_bytes', 'Memory that the snapshot takes, about.', ['tenant'], ofSnapshots('bytes'));
  counter('postern_snapshot_loads_total', 'Whole graphs loaded.', ['tenant'], ofSnapshots('loads'));
  counter('postern_snapshot_applied_total', 'Change sets applied.', ['tenant'], ofSnapshots('applied'));
  counter('postern_snapshot_failures_total', 'Loads and change sets that failed.', ['tenant'], ofSnapshots('failures'));

  gauge('postern_tenants_loaded', 'Tenants with a snapshot in memory.', [], ofTenants('loaded'));
  counter('postern_tenants_evicted_total', 'Tenants let go for want of memory.', [], ofTenants('evicted'));
  gauge('postern_tenant_loads_waiting', 'Loads that wait for their turn.', [], ofTenants('loadsWaiting'));

  gauge(
    'postern_event_loop_lag_seconds',
    'How late the event loop was since the last reading: median, 99th percentile and maximum (quantile 1).',
    ['quantile'],
    () => {
      const samples = [0.5, 0.99, 1].map((quantile): Sample => [{ quantile: `${quantile}` }, lagAt(quantile)]);
      lag.reset();
      return samples;
    },
  );
  const lagAt = (quantile: number): number => {
    const nanoseconds = quantile === 1 ? lag.max : lag.percentile(quantile * 100);
    // Without a measurement yet the histogram's maximum is 0 and its percentiles are odd; never below nothing.
    return Math.max(0, nanoseconds / 1e9 - lagResolutionMs / 1e3);
  };

  return {
    contentType: registry.contentType,
    text: () => {
      // Once for all metrics that are read from it: there may be thousands of tenants behind it.
      snapshots = sources.snapshots();
      return registry.metrics();
    },
    async describe() {
      const metrics = await registry.getMetricsAsJSON();
      return metrics.map(({ name, type, help }) => ({
        name,
        type: String(type),
        labels: labelsOf.get(name) ?? [],
        help,
      }));
    },
    close: () => void lag.disable(),
  };
}

/** The text of docs/metrics.md. */
export async function metricsDocument(metrics: Metrics): Promise<string> {
  const rows = (await metrics.describe()).map(({ name, type, labels, help }) => {
    const labelText = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labelText} | ${help} |`;
  });
  return `# Metrics

\`GET /metrics\` on the HTTP address answers in the exposition format of Prometheus. Counters count since the process began.

| name | kind | labels | |
|---|---|---|---|
${rows.join('\n')}

The first 100 tenants that a process serves have lines of their own, those named in \`--tenant\` first. All others stand together under \`tenant="*"\`:
their counters and bytes added up, and the longest of their \`postern_snapshot_behind_seconds\`. A tenant that was let go keeps its counters.
`;
}
