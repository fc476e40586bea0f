/** The decision log that the options ask for. */
import { decisionLogKind } from '../config/check-options.ts';
import type { ServeOptions } from '../config/options.ts';
import { BufferedDecisionLog } from '../decision-log/buffered-log.ts';
import { describeLogEvent } from '../decision-log/describe-event.ts';
import type { DecisionLog } from '../decision-log/log.ts';
import { createNoLog } from '../decision-log/no-log.ts';
import type { Sink } from '../decision-log/sink.ts';
import { createFileSink } from '../decision-log/sinks/file.ts';
import { createRedisSink } from '../decision-log/sinks/redis.ts';
import { createStreamSink } from '../decision-log/sinks/stdout.ts';
import type { RedisAccess } from '../store/redis/access.ts';
import { connect } from '../store/redis/connection.ts';
import { createDecisionAppender } from '../store/redis/decision-client.ts';
import type { Logger } from '../telemetry/logger.ts';

/** @param redis Undefined where decisions do not go there. */
export function openDecisionLog(options: ServeOptions, redis: RedisAccess | undefined, logger: Logger): DecisionLog {
  const kind = decisionLogKind(options);
  if (kind === 'off') return createNoLog();
  return new BufferedDecisionLog({
    instance: options.instance,
    sink: openSink(kind, options, redis),
    bufferBytes: options.decisionLogBufferBytes,
    batchRecords: options.decisionLogBatch,
    intervalMs: options.decisionLogIntervalMs,
    onEvent: (event) => {
      const { level, message } = describeLogEvent(event);
      logger[level]({}, message);
    },
  });
}

function openSink(kind: 'redis' | 'file' | 'stdout', options: ServeOptions, redis: RedisAccess | undefined): Sink {
  if (kind === 'stdout') return createStreamSink(process.stdout, 'standard output');
  if (kind === 'file') {
    const { decisionLogDir: directory, instance, decisionLogRotateBytes: rotateBytes } = options;
    return createFileSink({ directory, instance, rotateBytes });
  }
  // A connection of its own: a slow stream must not hold up the policy, nor the other way round.
  const { target, options: connecting } = redis as RedisAccess;
  const connection = connect(target, connecting);
  const sink = createRedisSink(createDecisionAppender(connection), options.decisionLogMaxEntries);
  return {
    ...sink,
    async close() {
      await sink.close();
      connection.close();
    },
  };
}
