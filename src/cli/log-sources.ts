/**
 * Where the logs are for commands that read several at once: directories and files, and the streams of tenants. Also
 * how all lines of them go through a verifier. Called by `postern audit verify` and `postern audit export`.
 */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { envNameOf } from '../config/option-spec.ts';
import type { LogVerifier } from '../decision-log/verify/log-verifier.ts';
import { type Reading, verifyFiles, verifyStream } from '../decision-log/verify/sources.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { defaultTenant } from '../model/names.ts';
import { type OpenStream, openStream, sayWhereLogsAre } from './open-log.ts';
import { addRedisOptions, collect, type RedisFlags, specOf, tenantOption } from './options.ts';
import { startProgress } from './progress.ts';

/** As they were written. */
export interface SourceFlags extends RedisFlags {
  readonly dir: readonly string[];
  readonly tenant?: readonly string[];
}

/** Directories and files are read, streams are read, or both. */
export interface LogSources {
  readonly paths: readonly string[];
  readonly redis: (RedisFlags & { readonly redis: string }) | undefined;
  /** Undefined for all. */
  readonly tenants: readonly string[] | undefined;
}

const dirSpec = specOf('decision-log-dir');
const defaultDirs: readonly string[] = [String(dirSpec.default)];

/** Records may be stamped by another clock than that of Redis. */
const clockSkewMs = 10 * 60_000;

export function addSourceOptions(command: Command): Command {
  const about = 'a directory of decision logs, or one file, of a log or an export; repeatable';
  command
    .addOption(
      new Option('--dir <path>', about)
        .env(envNameOf(dirSpec))
        .argParser(collectDirs)
        .default(defaultDirs, defaultDirs[0]),
    )
    .addOption(tenantsOption());
  return addRedisOptions(command, 'decisions');
}

function collectDirs(value: string, before: readonly string[]): readonly string[] {
  return before === defaultDirs ? [value] : [...before, value];
}

/** For commands that take several tenants. */
export function tenantsOption(): Option {
  const sentence = 'of this tenant; "*" is all; repeatable; with --redis, "default" where none is named';
  return tenantOption(sentence).argParser(collect);
}

/** With a Redis, directories are read as well where the command line names them. */
export function toSources(flags: SourceFlags, command: Command): LogSources {
  const { redis } = flags;
  const isAll = flags.tenant?.includes('*') === true;
  const tenants = isAll ? undefined : (flags.tenant ?? (redis === undefined ? undefined : [defaultTenant]));
  const isNamed = command.getOptionValueSource('dir') === 'cli';
  return {
    paths: isNamed || redis === undefined ? flags.dir : [],
    redis: redis === undefined ? undefined : { ...flags, redis },
    tenants,
  };
}

/**
 * All lines of the sources, one source after the other, with a progress bar on a terminal.
 * @param since Milliseconds since 1970.
 * @throws PosternError STORE_UNAVAILABLE
 */
export async function verifySources(
  verifier: LogVerifier,
  { paths, redis, tenants }: LogSources,
  since: number | undefined,
  reading: Pick<Reading, 'signal' | 'afterPart'>,
): Promise<void> {
  for (const path of paths) if (!existsSync(path)) sayWhereLogsAre(path, false);
  if (paths.length > 0) {
    await withProgress('bytes read', (more) => verifyFiles(verifier, paths, { ...reading, ...more }));
  }
  if (redis === undefined) return;
  const stream = await openStream({ ...redis, dir: '' });
  try {
    await withProgress('records read', (more) =>
      verifyStreams(verifier, stream, tenants, since, { ...reading, ...more }),
    );
  } finally {
    await stream.close();
  }
}

async function verifyStreams(
  verifier: LogVerifier,
  stream: OpenStream,
  wanted: readonly string[] | undefined,
  since: number | undefined,
  reading: Reading,
): Promise<void> {
  const tenants = wanted ?? (await listTenants(stream));
  // Who may read may not be allowed to count; then there is no bar.
  const counts = await Promise.all(tenants.map((tenant) => stream.client.count(tenant).catch(() => 0)));
  reading.onTotal?.(counts.reduce((sum, count) => sum + count, 0));
  const after = since === undefined ? '0-0' : `${Math.max(0, since - clockSkewMs)}-0`;
  for (const tenant of tenants) await verifyStream(verifier, stream.client, tenant, after, reading);
}

/** @throws PosternError STORE_UNAVAILABLE */
export function listTenants(stream: OpenStream): Promise<readonly string[]> {
  return stream.tenants().catch((error: unknown) => {
    throw new PosternError('STORE_UNAVAILABLE', `cannot list tenants: ${messageOf(error)}`, {}, error);
  });
}

async function withProgress(
  what: string,
  read: (reading: Required<Pick<Reading, 'onTotal' | 'onRead'>>) => Promise<void>,
): Promise<void> {
  let progress = startProgress(what, 0);
  let done = 0;
  try {
    await read({
      onTotal: (total) => {
        progress = startProgress(what, total);
      },
      onRead: (more) => {
        done += more;
        progress.update(done);
      },
    });
  } finally {
    progress.stop();
  }
}
