/**
 * The process's own log: pino, on standard error, because standard output may
 * carry decisions. JSON for machines, pretty on a terminal. Owns pino; others
 * take a Logger. Nothing on the path of a check logs.
 */
import { type DestinationStream, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

type Write = (fields: object, message: string) => void;

/** Fields first, then the message. `err` holds an error. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /** A logger whose lines carry these fields too. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto` is pretty where the stream is a terminal. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Where to; default standard error. */
  readonly stream?: DestinationStream & { readonly isTTY?: boolean };
  /** Fields of every line in JSON, such as the instance. */
  readonly base?: Readonly<Record<string, unknown>>;
}

/** Whatever holds a password, at the top and one level down. */
const secrets = ['password', 'token', 'secret', 'redis', 'url', 'authorization'];
const secretPaths = secrets.flatMap((name) => [name, `*.${name}`]);

export function createLogger(options: LoggerOptions): Logger {
  const stream = options.stream ?? process.stderr;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true);
  const destination = pretty ? toPretty(stream) : (options.stream ?? pino.destination({ dest: 2, sync: true }));
  return pino(
    {
      level: options.level,
      base: pretty ? null : { ...options.base },
      redact: { paths: secretPaths, censor: '(not shown)' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

/** Line by line, in this thread: a stream or a worker would lose the last lines before a crash, which matter most. */
function toPretty(stream: DestinationStream & { readonly isTTY?: boolean }): DestinationStream {
  const format = prettyFactory({
    colorize: stream.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return { write: (line) => stream.write(format(line)) };
}
