/** The options of `postern serve` about the decision log; part of the table in options.ts. */
import type { OptionSpec } from './option-spec.ts';
import { sinkOptions } from './sink-options.ts';

export const decisionLogOptions = [
  {
    key: 'decision-log',
    kind: 'choice',
    choices: ['auto', 'redis', 'file', 'stdout', 'otlp', 'off'],
    default: 'auto',
    sentence: 'Where decisions are recorded; auto is redis with --redis, and file otherwise.',
  },
  {
    key: 'decision-log-mode',
    kind: 'choice',
    choices: ['auto', 'spool', 'block', 'drop-oldest', 'drop-newest'],
    default: 'auto',
    sentence:
      'When that is slow or gone: records wait on disk; questions wait; or the oldest or the newest records are dropped, and a gap record tells which. auto is spool, and drop-newest for stdout.',
  },
  {
    key: 'decision-log-spool-dir',
    kind: 'string',
    defaultText: '--decision-log-dir with "-spool" after it',
    placeholder: 'directory',
    sentence: 'In mode spool: where records wait on disk, and where the name of this instance is remembered.',
  },
  {
    key: 'decision-log-spool-bytes',
    kind: 'bytes',
    default: '1GiB',
    min: '1MiB',
    max: '16TiB',
    sentence: 'In mode spool: how much may wait on disk; then the newest are dropped when memory is full, too.',
  },
  {
    key: 'decision-log-sync',
    kind: 'boolean',
    default: 'false',
    sentence: 'In mode spool: wait for the disk with every write, so that a loss of power loses no more than a crash.',
  },
  {
    key: 'decision-log-seal-interval',
    kind: 'duration',
    default: '60s',
    min: '1s',
    max: '24h',
    sentence: 'How often the chain of records is sealed, where there are new ones; also after 10,000 records.',
  },
  {
    key: 'decision-log-signing-key',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Sign seals with this Ed25519 key (PEM), so that nobody who lacks it can make another chain.',
  },
  ...sinkOptions,
  {
    key: 'decision-log-buffer-bytes',
    kind: 'bytes',
    default: '64MiB',
    min: '1MiB',
    max: '16GiB',
    sentence: 'How much memory may hold decisions that are not written yet; what happens then is --decision-log-mode.',
  },
  {
    key: 'decision-log-batch',
    kind: 'integer',
    default: '1000',
    min: '1',
    max: '10000',
    sentence: 'How many decisions are written at once.',
  },
  {
    key: 'decision-log-interval',
    kind: 'duration',
    default: '10ms',
    min: '0ms',
    max: '10s',
    sentence:
      'How long a decision may wait in memory before it is written: what a crash can lose in mode spool. 0ms writes each before it is answered.',
  },
] as const satisfies readonly OptionSpec[];
