/**
 * What must hold between options, and within values beyond their kind. Called
 * by the parser when every single value is legal.
 */
import { problemOfTenant, quote } from '../model/names.ts';
import { toCamel } from './option-spec.ts';
import type { ServeOptions, serveOptions } from './options.ts';
import { redisOptions } from './redis-options.ts';

/** Where decisions go, `auto` resolved. */
export type DecisionLogKind = Exclude<ServeOptions['decisionLog'], 'auto'>;

export function decisionLogKind(options: ServeOptions): DecisionLogKind {
  if (options.decisionLog !== 'auto') return options.decisionLog;
  return options.redis === undefined ? 'file' : 'redis';
}

/** What happens when that is slow or gone, `auto` resolved. */
export function decisionLogMode(options: ServeOptions): Exclude<ServeOptions['decisionLogMode'], 'auto'> {
  if (options.decisionLogMode !== 'auto') return options.decisionLogMode;
  // Whoever reads standard output is there as long as this process.
  return decisionLogKind(options) === 'stdout' ? 'drop-newest' : 'spool';
}

/** The mode for whoever looks at this process: `off` where nothing is recorded. */
export function modeNameOf(options: ServeOptions): string {
  return decisionLogKind(options) === 'off' ? 'off' : decisionLogMode(options);
}

/** Whether records wait on disk, so that there is a directory to be claimed. */
export function hasSpool(options: ServeOptions): boolean {
  return decisionLogKind(options) !== 'off' && decisionLogMode(options) === 'spool';
}

export function spoolDirectoryOf({ decisionLogSpoolDir, decisionLogDir }: ServeOptions): string {
  return decisionLogSpoolDir ?? `${decisionLogDir}-spool`;
}

/** Longest instance name; it becomes part of file names and of every record. */
const instancePattern = /^[A-Za-z0-9_-]{1,128}$/;

type Key = (typeof serveOptions)[number]['key'];

/** Stands for every tenant of the store among the tenants that are named. */
export const everyTenant = '*';

/** Something that is wrong between options. */
export interface Clash {
  /** The options that it is about; where one of them could not be read, it may be a false alarm. */
  readonly about: readonly Key[];
  /** Whether it complains that something is missing, which a misspelt name explains better. */
  readonly missing?: true;
  readonly message: string;
}

export function clashesOf(options: ServeOptions): readonly Clash[] {
  const clashes: Clash[] = [];
  const { policy, redis, tenant, instance, grpcAddress, httpAddress } = options;
  if (policy === undefined && redis === undefined) {
    const message = 'nothing to serve: name a policy with --policy FILE, or a store with --redis URL';
    clashes.push({ about: ['policy', 'redis'], missing: true, message });
  }
  for (const { key } of redisOptions) {
    if (redis !== undefined || options[toCamel(key) as keyof ServeOptions] === undefined) continue;
    clashes.push({ about: [key, 'redis'], missing: true, message: `--${key} needs --redis` });
  }
  if (policy !== undefined && redis !== undefined) {
    const message = '--policy and --redis exclude each other: a policy file is a store of its own; see `postern apply`';
    clashes.push({ about: ['policy', 'redis'], message });
  }
  for (const name of tenant) {
    if (name === everyTenant) continue;
    const problem = problemOfTenant(name);
    if (problem !== undefined) clashes.push({ about: ['tenant'], message: `--tenant ${quote(name)} ${problem}` });
  }
  if (policy !== undefined && (tenant.length > 1 || tenant[0] === everyTenant)) {
    const message = '--policy serves one tenant; name one with --tenant, and start one sidecar for each';
    clashes.push({ about: ['policy', 'tenant'], message });
  }
  clashes.push(...loadingClashesOf(options));
  if (options.snapshotDir !== undefined && policy !== undefined) {
    const message = '--snapshot-dir is for graphs of --redis: a policy file is on disk already';
    clashes.push({ about: ['snapshot-dir', 'policy'], message });
  }
  if (!options.grpc && options.socket === undefined && !options.http) {
    const message = 'nothing to listen on: with --no-grpc and --no-http, name a --socket';
    clashes.push({ about: ['grpc', 'http', 'socket'], missing: true, message });
  }
  if (options.grpc && options.http && grpcAddress.port !== 0 && sameAddress(grpcAddress, httpAddress)) {
    const message = '--grpc-address and --http-address are the same; each needs a port of its own';
    clashes.push({ about: ['grpc', 'http', 'grpc-address', 'http-address'], message });
  }
  clashes.push(...tlsClashesOf(options));
  if (options.decisionLog === 'redis' && redis === undefined) {
    clashes.push({ about: ['decision-log', 'redis'], missing: true, message: '--decision-log=redis needs --redis' });
  }
  clashes.push(...servingClashesOf(options));
  clashes.push(...maskClashesOf(options));
  clashes.push(...otlpClashesOf(options));
  if (!instancePattern.test(instance)) {
    const message = `--instance ${quote(instance)} is not legal: 1 to 128 of A-Z a-z 0-9 _ -`;
    clashes.push({ about: ['instance'], message });
  }
  return clashes;
}

function loadingClashesOf({ tenant, tenantLoading, tenantMemoryBytes }: ServeOptions): readonly Clash[] {
  const clashes: Clash[] = [];
  const onDemand = tenantLoading === 'on-demand';
  if (onDemand && !tenant.includes(everyTenant)) {
    const message = `--tenant-loading=on-demand needs --tenant '${everyTenant}': tenants that are named are loaded at once`;
    clashes.push({ about: ['tenant-loading', 'tenant'], missing: true, message });
  }
  if (tenantMemoryBytes > 0 && !onDemand) {
    const message =
      '--tenant-memory-bytes needs --tenant-loading=on-demand: a tenant that was let go is loaded again then';
    clashes.push({ about: ['tenant-memory-bytes', 'tenant-loading'], missing: true, message });
  }
  return clashes;
}

function servingClashesOf(options: ServeOptions): readonly Clash[] {
  if (!options.serveDecisionLog) return [];
  const clashes: Clash[] = [];
  if (options.adminAuth === undefined) {
    const message = '--serve-decision-log needs --admin-auth, which says who may read';
    clashes.push({ about: ['serve-decision-log', 'admin-auth'], missing: true, message });
  }
  const kind = decisionLogKind(options);
  if (kind !== 'redis' && kind !== 'file') {
    const message = `--serve-decision-log needs --decision-log=redis or file: what went to "${kind}" cannot be read back`;
    clashes.push({ about: ['serve-decision-log', 'decision-log'], message });
  }
  return clashes;
}

function tlsClashesOf({ tlsCert, tlsKey, tlsClientCa, tlsRequireClientCert }: ServeOptions): readonly Clash[] {
  const clashes: Clash[] = [];
  const needs = (has: boolean, key: Key, other: Key, wanted: boolean) => {
    if (!has || wanted) return;
    clashes.push({ about: [key, other], missing: true, message: `--${key} needs --${other}` });
  };
  needs(tlsCert !== undefined, 'tls-cert', 'tls-key', tlsKey !== undefined);
  needs(tlsKey !== undefined, 'tls-key', 'tls-cert', tlsCert !== undefined);
  needs(tlsClientCa !== undefined, 'tls-client-ca', 'tls-cert', tlsCert !== undefined);
  needs(tlsRequireClientCert, 'tls-require-client-cert', 'tls-client-ca', tlsClientCa !== undefined);
  return clashes;
}

function maskClashesOf({ decisionLogMask = [], decisionLogMaskKeyFile }: ServeOptions): readonly Clash[] {
  const about = ['decision-log-mask', 'decision-log-mask-key-file'] as const;
  const isHashed = decisionLogMask.some((rule) => rule.endsWith('=hash'));
  if (isHashed === (decisionLogMaskKeyFile !== undefined)) return [];
  const message = isHashed
    ? '--decision-log-mask hashes a field, which needs --decision-log-mask-key-file'
    : '--decision-log-mask-key-file needs a field that --decision-log-mask hashes, such as subject=hash';
  return [{ about, missing: true, message }];
}

function otlpClashesOf({
  decisionLog,
  decisionLogOtlpUrl: written,
  decisionLogOtlpHeaders: headers,
  decisionLogOtlpCa: ca,
}: ServeOptions): readonly Clash[] {
  const clashes: Clash[] = [];
  for (const [key, value] of [
    ['decision-log-otlp-headers', headers],
    ['decision-log-otlp-ca', ca],
  ] as const) {
    if (value === undefined || decisionLog === 'otlp') continue;
    clashes.push({ about: [key, 'decision-log'], missing: true, message: `--${key} needs --decision-log=otlp` });
  }
  const url = URL.parse(written);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    const message =
      '--decision-log-otlp-url is not a URL such as http://localhost:4318/v1/logs; a user and a password belong into --decision-log-otlp-headers';
    clashes.push({ about: ['decision-log-otlp-url'], message });
  } else if (decisionLog === 'otlp' && ca !== undefined && url.protocol !== 'https:') {
    const message = '--decision-log-otlp-ca needs --decision-log-otlp-url with https://';
    clashes.push({ about: ['decision-log-otlp-ca', 'decision-log-otlp-url'], missing: true, message });
  }
  return clashes;
}

function sameAddress(a: ServeOptions['grpcAddress'], b: ServeOptions['grpcAddress']): boolean {
  return a.port === b.port && a.host === b.host;
}
