import { expect, test } from 'vitest';
import { decisionLogKind } from '../../src/config/check-options.ts';
import { createInstanceName } from '../../src/config/instance-name.ts';
import type { ServeOptions } from '../../src/config/options.ts';
import { type OptionSources, parseOptions } from '../../src/config/parse-options.ts';
import { PosternError } from '../../src/model/errors.ts';
import { suggest } from '../../src/policy-file/suggest.ts';

const policy = { policy: 'policy.yaml' };

function parse(sources: Partial<OptionSources>): ServeOptions {
  return parseOptions({ flags: {}, env: {}, suggest, instance: 'host-1', ...sources });
}

/** The lines of the error, without the first. */
function problemsOf(sources: Partial<OptionSources>): string[] {
  try {
    parse(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(PosternError);
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
    return (error as PosternError).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

test('what nobody says has its default', () => {
  expect(parse({ flags: policy })).toEqual({
    tenant: ['default'],
    tenantLoading: 'eager',
    tenantMemoryBytes: 0,
    policy: 'policy.yaml',
    redis: undefined,
    grpc: true,
    grpcAddress: { host: '127.0.0.1', port: 7678 },
    socket: undefined,
    socketMode: 0o660,
    http: true,
    httpAddress: { host: '127.0.0.1', port: 7679 },
    tlsCert: undefined,
    tlsKey: undefined,
    tlsClientCa: undefined,
    tlsRequireClientCert: false,
    adminAuth: undefined,
    serveDecisionLog: false,
    reflection: true,
    allowAssertedGroups: false,
    maxConcurrentStreams: 512,
    maxInFlight: 1_024,
    maxHeldBytes: 64 * 1024 * 1024,
    maxQueueDelayMs: 100,
    decisionLog: 'auto',
    decisionLogDir: '.postern/decisions',
    decisionLogRotateBytes: 256 * 1024 * 1024,
    decisionLogMaxEntries: 0,
    decisionLogMode: 'auto',
    decisionLogSealIntervalMs: 60_000,
    decisionLogSigningKey: undefined,
    decisionLogSpoolBytes: 2 ** 30,
    decisionLogSpoolDir: undefined,
    decisionLogSync: false,
    decisionLogMaxFiles: 0,
    decisionLogMaxAgeMs: 0,
    decisionLogOtlpUrl: 'http://localhost:4318/v1/logs',
    decisionLogBufferBytes: 64 * 1024 * 1024,
    decisionLogBatch: 1_000,
    decisionLogIntervalMs: 10,
    decisionLogInclude: undefined,
    decisionLogExclude: undefined,
    decisionLogSample: undefined,
    decisionLogPathRate: 0,
    decisionLogMask: undefined,
    decisionLogMaskKeyFile: undefined,
    drainTimeoutMs: 10_000,
    compareIntervalMs: 30_000,
    snapshotDir: undefined,
    snapshotIntervalMs: 300_000,
    maxStalenessMs: 0,
    whenStale: 'refuse',
    instance: 'host-1',
    logLevel: 'info',
    logFormat: 'auto',
    hints: false,
  });
});

test('a flag counts before the environment, that before the file', () => {
  const file = { path: 'o.yaml', values: { ...policy, 'log-level': 'error', 'drain-timeout': '3s', instance: 'file' } };
  const env = { POSTERN_LOG_LEVEL: 'warn', POSTERN_DRAIN_TIMEOUT: '2s' };
  const options = parse({ file, env, flags: { logLevel: 'debug' } });
  expect(options).toMatchObject({ logLevel: 'debug', drainTimeoutMs: 2_000, instance: 'file', policy: 'policy.yaml' });
});

test('a flag that is undefined and a variable that is empty are not given', () => {
  const options = parse({ flags: { ...policy, logLevel: undefined }, env: { POSTERN_LOG_LEVEL: '' } });
  expect(options.logLevel).toBe('info');
});

const values: { key: string; written: unknown; property: string; value: unknown }[] = [
  { key: 'tenant', written: 'a,b', property: 'tenant', value: ['a', 'b'] },
  { key: 'tenant', written: ['a', 'b, c', 'a'], property: 'tenant', value: ['a', 'b', 'c'] },
  { key: 'http', written: false, property: 'http', value: false },
  { key: 'http', written: '0', property: 'http', value: false },
  { key: 'reflection', written: 'true', property: 'reflection', value: true },
  { key: 'grpc-address', written: '[::1]:0', property: 'grpcAddress', value: { host: '::1', port: 0 } },
  { key: 'grpc-address', written: '0.0.0.0:80', property: 'grpcAddress', value: { host: '0.0.0.0', port: 80 } },
  { key: 'drain-timeout', written: '1.5m', property: 'drainTimeoutMs', value: 90_000 },
  { key: 'decision-log-interval', written: '0ms', property: 'decisionLogIntervalMs', value: 0 },
  { key: 'decision-log-buffer-bytes', written: '1.5GiB', property: 'decisionLogBufferBytes', value: 1.5 * 1024 ** 3 },
  { key: 'decision-log-buffer-bytes', written: 2 ** 20, property: 'decisionLogBufferBytes', value: 2 ** 20 },
  { key: 'decision-log-batch', written: 5, property: 'decisionLogBatch', value: 5 },
  { key: 'socket-mode', written: '600', property: 'socketMode', value: 0o600 },
];

test.for(values)('$key: $written is understood', ({ key, written, property, value }) => {
  const options = parse({ file: { path: 'o.yaml', values: { redis: 'redis://x', [key]: written } } });
  expect(options[property as keyof ServeOptions]).toEqual(value);
});

const refusals: { key: string; written: unknown; says: string }[] = [
  { key: 'http', written: 'yes', says: 'o.yaml: http "yes" is not true or false' },
  { key: 'http', written: 1, says: 'o.yaml: http "1" is not of the kind boolean' },
  { key: 'policy', written: 7, says: 'o.yaml: policy "7" is not text' },
  { key: 'policy', written: '', says: 'o.yaml: policy "" is empty; leave the option out instead' },
  { key: 'tenant', written: 'a,,b', says: 'o.yaml: tenant "a,,b" holds an empty name' },
  { key: 'tenant', written: [1], says: 'o.yaml: tenant "[1]" is not a list of names' },
  {
    key: 'grpc-address',
    written: ':7678',
    says: 'o.yaml: grpc-address ":7678" is not host:port; write for example 127.0.0.1:7678, [::1]:7678 or 0.0.0.0:7678',
  },
  {
    key: 'grpc-address',
    written: 'localhost:99999',
    says: 'o.yaml: grpc-address "localhost:99999" is not host:port; write for example 127.0.0.1:7678, [::1]:7678 or 0.0.0.0:7678',
  },
  {
    key: 'drain-timeout',
    written: 10,
    says: 'o.yaml: drain-timeout "10" is not a duration; write a number and ms, s, m or h, such as 10s',
  },
  { key: 'drain-timeout', written: '11m', says: 'o.yaml: drain-timeout "11m" is not between 0s and 10m' },
  { key: 'compare-interval', written: '10ms', says: 'o.yaml: compare-interval "10ms" is not between 1s and 1h' },
  {
    key: 'decision-log-buffer-bytes',
    written: '64MB',
    says: 'o.yaml: decision-log-buffer-bytes "64MB" is not a size; write a number and B, KiB, MiB, GiB or TiB, such as 64MiB',
  },
  {
    key: 'decision-log-buffer-bytes',
    written: 1,
    says: 'o.yaml: decision-log-buffer-bytes "1" is not between 1MiB and 16GiB',
  },
  { key: 'decision-log-batch', written: -1, says: 'o.yaml: decision-log-batch "-1" is not a whole number' },
  { key: 'socket-mode', written: 660, says: 'o.yaml: socket-mode "660" must be text; put it in quotes' },
  {
    key: 'log-level',
    written: 'debgu',
    says: 'o.yaml: log-level "debgu" is not one of trace, debug, info, warn, error, fatal, silent; did you mean debug?',
  },
];

test.for(refusals)('$key: $written is refused', ({ key, written, says }) => {
  expect(problemsOf({ flags: { redis: 'redis://x' }, file: { path: 'o.yaml', values: { [key]: written } } })).toEqual([
    says,
  ]);
});

test('every problem of every source is told at once', () => {
  expect(
    problemsOf({
      flags: { grpcAddress: 'nowhere', htp: true },
      env: { POSTERN_LOG_FORMAT: 'xml', POSTERN_REDDIS: 'redis://x' },
      file: { path: 'o.yaml', values: { 'drain-timeot': '1s', 'drain-timeout': 'soon' } },
    }),
  ).toEqual([
    '--htp is not an option; did you mean --http?',
    'POSTERN_REDDIS is not an option; did you mean POSTERN_REDIS?',
    'o.yaml: drain-timeot is not an option; did you mean drain-timeout?',
    '--grpc-address "nowhere" is not host:port; write for example 127.0.0.1:7678, [::1]:7678 or 0.0.0.0:7678',
    'o.yaml: drain-timeout "soon" is not a duration; write a number and ms, s, m or h, such as 10s',
    'POSTERN_LOG_FORMAT "xml" is not one of auto, json, pretty',
  ]);
});

test('problems between options are told beside those of single ones, but not where they may be false alarms', () => {
  expect(
    problemsOf({ flags: { policy: 'p.yaml', redis: 'redis://x', drainTimeout: 'soon', tenant: ['A B'] } }),
  ).toEqual([
    expect.stringContaining('--drain-timeout "soon" is not a duration'),
    expect.stringContaining('--policy and --redis exclude each other'),
    expect.stringContaining('--tenant "A B" is not legal'),
  ]);
  expect(problemsOf({ flags: { polcy: 'p.yaml' } })).toEqual(['--polcy is not an option; did you mean --policy?']);
});

test('variables of other programs, of other commands and of Kubernetes are left alone', () => {
  const env = {
    PATH: '/bin',
    POSTERN_CONFIG: 'o.yaml',
    POSTERN_TARGET: 'unix:/x',
    POSTERN_SERVICE_HOST: '10.0.0.1',
    POSTERN_SERVICE_PORT: '7678',
    POSTERN_SERVICE_PORT_GRPC: '7678',
    POSTERN_PORT: 'tcp://10.0.0.1:7678',
    POSTERN_PORT_7678_TCP: 'tcp://10.0.0.1:7678',
    POSTERN_PORT_7678_TCP_ADDR: '10.0.0.1',
    POSTERN_STAGING_SERVICE_HOST: '10.0.0.2',
  };
  expect(problemsOf({ flags: policy, env, otherVariables: ['POSTERN_TARGET'] })).toEqual([]);
});

test('a secret is never in a message, whatever is wrong with it', () => {
  const url = 'redis://user:hunter2@host';
  const validators = {
    redis: () => {
      throw new PosternError('INVALID_OPTION', 'the URL is not one');
    },
  };
  expect(problemsOf({ env: { POSTERN_REDIS: url }, validators })).toEqual([
    'POSTERN_REDIS (not shown): the URL is not one',
  ]);
  expect(problemsOf({ file: { path: 'o.yaml', values: { redis: [url] } } })).toEqual([
    'o.yaml: redis (not shown) is not text',
  ]);
});

test('an options file that is a list is refused, an empty one is not', () => {
  expect(problemsOf({ flags: policy, file: { path: 'o.yaml', values: ['x'] } })).toEqual([
    'o.yaml is not a list of "option: value" lines',
  ]);
  expect(problemsOf({ flags: policy, file: { path: 'o.yaml', values: null } })).toEqual([]);
});

const redis = { redis: 'redis://x' };
const across: { name: string; flags: Record<string, unknown>; says: string }[] = [
  { name: 'no store', flags: {}, says: 'nothing to serve' },
  {
    name: 'loading on demand of tenants that are named',
    flags: { ...redis, tenant: 'acme', tenantLoading: 'on-demand' },
    says: "--tenant-loading=on-demand needs --tenant '*'",
  },
  {
    name: 'a bound on memory where all tenants are loaded',
    flags: { ...redis, tenant: '*', tenantMemoryBytes: '1GiB' },
    says: '--tenant-memory-bytes needs --tenant-loading=on-demand',
  },
  { name: 'two stores', flags: { ...policy, ...redis }, says: '--policy and --redis exclude each other' },
  { name: 'an illegal tenant', flags: { ...redis, tenant: 'A' }, says: '--tenant "A" is not legal' },
  { name: 'a policy for two tenants', flags: { ...policy, tenant: 'a,b' }, says: '--policy serves one tenant' },
  { name: 'no listener', flags: { ...policy, http: false, grpc: false }, says: 'nothing to listen on' },
  {
    name: 'one port for two',
    flags: { ...policy, grpcAddress: 'localhost:1', httpAddress: 'localhost:1' },
    says: '--grpc-address and --http-address are the same',
  },
  { name: 'a Redis log without Redis', flags: { ...policy, decisionLog: 'redis' }, says: '--decision-log=redis needs' },
  {
    name: 'a decision log that is served to nobody',
    flags: { ...policy, serveDecisionLog: true },
    says: '--serve-decision-log needs --admin-auth',
  },
  {
    name: 'a decision log that cannot be read back',
    flags: { ...policy, serveDecisionLog: true, adminAuth: 'auth.yaml', decisionLog: 'stdout' },
    says: '--serve-decision-log needs --decision-log=redis or file',
  },
  { name: 'an instance with a slash', flags: { ...policy, instance: 'a/b' }, says: '--instance "a/b" is not legal' },
];

test.for(across)('$name is refused', ({ flags, says }) => {
  const problems = problemsOf({ flags });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(says);
});

test.for([
  { flags: { ...policy }, kind: 'file' },
  { flags: { ...redis }, kind: 'redis' },
  { flags: { ...redis, decisionLog: 'file' }, kind: 'file' },
  { flags: { ...policy, decisionLog: 'off' }, kind: 'off' },
  { flags: { ...policy, decisionLog: 'otlp' }, kind: 'otlp' },
])('with $flags decisions go to: $kind', ({ flags, kind }) => {
  expect(decisionLogKind(parse({ flags }))).toBe(kind);
});

test.for(['pod-7', 'host.example.com', 'ünï cødé', ''])(
  'host name %j gives legal instance names that differ',
  (host) => {
    const [one, other] = [createInstanceName(host), createInstanceName(host)];
    expect(one).not.toBe(other);
    for (const instance of [one, other]) expect(problemsOf({ flags: { ...policy, instance } })).toEqual([]);
  },
);
