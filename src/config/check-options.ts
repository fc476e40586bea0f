/**
 * What must hold between options, and within values beyond their kind. Called
 * by the parser when every single value is legal.
 */
import { problemOfTenant, quote } from '../model/names.ts';
import type { ServeOptions } from './options.ts';

/** Where decisions go, `auto` resolved. */
export type DecisionLogKind = Exclude<ServeOptions['decisionLog'], 'auto'>;

export function decisionLogKind(options: ServeOptions): DecisionLogKind {
  if (options.decisionLog !== 'auto') return options.decisionLog;
  return options.redis === undefined ? 'file' : 'redis';
}

/** Longest instance name; it becomes part of file names and of every record. */
const instancePattern = /^[A-Za-z0-9_-]{1,128}$/;

/** One sentence for each problem. */
export function problemsAcross(options: ServeOptions): readonly string[] {
  const problems: string[] = [];
  const { policy, redis, tenant, instance, grpcAddress, httpAddress } = options;
  if (policy === undefined && redis === undefined) {
    problems.push('nothing to serve: name a policy with --policy FILE, or a store with --redis URL');
  }
  if (policy !== undefined && redis !== undefined) {
    problems.push('--policy and --redis exclude each other: a policy file is a store of its own; see `postern apply`');
  }
  for (const name of tenant) {
    const problem = problemOfTenant(name);
    if (problem !== undefined) problems.push(`--tenant ${quote(name)} ${problem}`);
  }
  if (policy !== undefined && tenant.length > 1) {
    problems.push(`--policy serves one tenant, and --tenant names ${tenant.length}; start one sidecar for each`);
  }
  if (!options.grpc && options.socket === undefined && !options.http) {
    problems.push('nothing to listen on: with --no-grpc and --no-http, name a --socket');
  }
  if (options.grpc && options.http && grpcAddress.port !== 0 && sameAddress(grpcAddress, httpAddress)) {
    problems.push('--grpc-address and --http-address are the same; each needs a port of its own');
  }
  if (options.decisionLog === 'redis' && redis === undefined) {
    problems.push('--decision-log=redis needs --redis');
  }
  if (!instancePattern.test(instance)) {
    problems.push(`--instance ${quote(instance)} is not legal: 1 to 128 of A-Z a-z 0-9 _ -`);
  }
  return problems;
}

function sameAddress(a: ServeOptions['grpcAddress'], b: ServeOptions['grpcAddress']): boolean {
  return a.port === b.port && a.host === b.host;
}
