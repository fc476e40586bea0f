/** The options of `postern serve` about where decisions are recorded, and how much is kept; part of decision-log-options.ts. */
import type { OptionSpec } from './option-spec.ts';

export const sinkOptions = [
  {
    key: 'decision-log-dir',
    kind: 'string',
    default: '.postern/decisions',
    placeholder: 'directory',
    sentence: 'Where --decision-log=file writes: one file for each tenant and instance.',
  },
  {
    key: 'decision-log-rotate-bytes',
    kind: 'bytes',
    default: '256MiB',
    min: '0',
    max: '1TiB',
    sentence: 'How large a file of the decision log grows before the next one begins; 0 never begins one.',
  },
  {
    key: 'decision-log-max-entries',
    kind: 'integer',
    default: '0',
    min: '0',
    max: '1000000000',
    sentence: 'About how many decisions a Redis stream keeps for each tenant; 0 keeps all.',
  },
  {
    key: 'decision-log-max-files',
    kind: 'integer',
    default: '0',
    min: '0',
    max: '1000000',
    sentence:
      'How many complete files --decision-log=file keeps for each tenant and instance, beside the one it writes; 0 keeps all.',
  },
  {
    key: 'decision-log-max-age',
    kind: 'duration',
    default: '0s',
    min: '0s',
    max: '87600h',
    sentence: 'How old decisions may get before a Redis stream, or a complete file, lets them go; 0 keeps all.',
  },
  {
    key: 'decision-log-otlp-url',
    kind: 'string',
    default: 'http://localhost:4318/v1/logs',
    placeholder: 'url',
    sentence: 'Where --decision-log=otlp sends log records: OTLP over HTTP with protobuf; https:// for TLS.',
  },
  {
    key: 'decision-log-otlp-headers',
    kind: 'string',
    placeholder: 'file',
    sentence: 'A file with headers for --decision-log-otlp-url, such as authorization: one `name: value` a line.',
  },
  {
    key: 'decision-log-otlp-ca',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Trust the collector that these authorities vouch for (PEM), and no other; with https://.',
  },
] as const satisfies readonly OptionSpec[];
