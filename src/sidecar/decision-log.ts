/** The decision log that the options ask for. */
import { resolve } from 'node:path';
import {
  type DecisionLogKind,
  decisionLogKind,
  decisionLogMode,
  everyTenant,
  hasSpool,
  spoolDirectoryOf,
} from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { readSigner } from '../decision-log/chain/seal-key.ts';
import { describeLogEvent } from '../decision-log/describe-event.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import { createNoLog } from '../decision-log/no-log.ts';
import { openLog } from '../decision-log/open-log.ts';
import type { Sink } from '../decision-log/sink.ts';
import { createFileSink } from '../decision-log/sinks/file.ts';
import { createOtlpSink } from '../decision-log/sinks/otlp.ts';
import { readOtlpAccess } from '../decision-log/sinks/otlp-access.ts';
import { createRedisSink } from '../decision-log/sinks/redis.ts';
import { createStreamSink } from '../decision-log/sinks/stdout.ts';
import { type Claim, claimInstance } from '../decision-log/spool/claim.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import type { RedisAccess } from '../store/redis/access.ts';
import { connect } from '../store/redis/connection.ts';
import { createDecisionAppender } from '../store/redis/decision-client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openLogContent } from './log-content.ts';

/** What a sidecar needs of its decision log, and what it gives back at the end. */
export interface OpenDecisionLog {
  readonly log: DecisionLog;
  close(deadlineMs: number): Promise<void>;
}

/**
 * @param claim What was claimed for this process, where records wait on disk; claimed here where nobody did.
 * @param redis Undefined where decisions do not go there.
 * @throws PosternError INVALID_OPTION where the spool, the key for seals or that of masks cannot be used
 */
export async function openDecisionLog(
  options: ServeOptions,
  claim: Claim | undefined,
  redis: RedisAccess | undefined,
  logger: Logger,
): Promise<OpenDecisionLog> {
  const kind = decisionLogKind(options);
  if (kind === 'off') {
    const log = createNoLog();
    return { log, close: (deadlineMs) => log.close(deadlineMs) };
  }
  const { instance, decisionLogSigningKey: keyFile } = options;
  const sign = keyFile === undefined ? undefined : readSigner(keyFile);
  const content = await openLogContent(options, logger);
  const claimed = claim ?? (await claimOf(options, instance));
  const sink = openSink(kind, options, redis, (message) => logger.warn({}, message));
  try {
    const log = await openLog({
      mode: decisionLogMode(options),
      tenants: options.tenant.filter((name) => name !== everyTenant),
      content,
      instance,
      sink,
      spool: claimed && {
        directory: claimed.directory,
        bytes: options.decisionLogSpoolBytes,
        sync: options.decisionLogSync,
      },
      sign,
      sealIntervalMs: options.decisionLogSealIntervalMs,
      bufferBytes: options.decisionLogBufferBytes,
      batchRecords: options.decisionLogBatch,
      intervalMs: options.decisionLogIntervalMs,
      onEvent: (event) => {
        const { level, message } = describeLogEvent(event);
        logger[level]({}, message);
      },
    });
    return {
      log,
      async close(deadlineMs) {
        await log.close(deadlineMs);
        await claimed?.release();
      },
    };
  } catch (error) {
    await sink.close();
    await claimed?.release();
    const directory = spoolDirectoryOf(options);
    throw new PosternError(
      'INVALID_OPTION',
      `--decision-log-spool-dir ${directory} cannot be used: ${messageOf(error)}`,
    );
  }
}

/**
 * The spool that is this process's, and with it the name of this instance; undefined where nothing waits on disk.
 * @param named What the operator calls it; undefined where he does not.
 * @throws PosternError INVALID_OPTION
 */
export async function claimOf(options: ServeOptions, named: string | undefined): Promise<Claim | undefined> {
  if (!hasSpool(options)) return undefined;
  return claimInstance(spoolDirectoryOf(options), sinkNameOf(options), named, options.instance);
}

/** Tells where records go from another place, without secrets: what waits must not go elsewhere by accident. */
function sinkNameOf(options: ServeOptions): string {
  const kind = decisionLogKind(options);
  if (kind === 'file') return `file ${resolve(options.decisionLogDir)}`;
  if (kind === 'otlp') return `otlp ${options.decisionLogOtlpUrl}`;
  return kind === 'redis' ? `redis ${options.redis?.replace(/\/\/[^@/]*@/, '//')}` : kind;
}

/** @param onProblem Told what an operator should look at, and what costs no record. */
function openSink(
  kind: Exclude<DecisionLogKind, 'off'>,
  options: ServeOptions,
  redis: RedisAccess | undefined,
  onProblem: (message: string) => void,
): Sink {
  const { instance, decisionLogMaxAgeMs: maxAgeMs } = options;
  if (kind === 'stdout') return createStreamSink(process.stdout, 'standard output');
  if (kind === 'otlp') return createOtlpSink(readOtlpAccess(options));
  if (kind === 'file') {
    const { decisionLogDir: directory, decisionLogRotateBytes: rotateBytes, decisionLogMaxFiles: maxFiles } = options;
    return createFileSink({ directory, instance, rotateBytes, maxFiles, maxAgeMs, onProblem });
  }
  // A connection of its own: a slow stream must not hold up the policy, nor the other way round.
  const { target, options: connecting } = redis as RedisAccess;
  const connection = connect(target, connecting);
  const retention = { maxEntries: options.decisionLogMaxEntries, maxAgeMs, onProblem };
  const sink = createRedisSink(createDecisionAppender(connection), retention);
  return {
    ...sink,
    async close() {
      await sink.close();
      connection.close();
    },
  };
}
