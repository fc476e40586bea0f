/**
 * The table of options as text: flags and help for the CLI, docs/options.md,
 * and the values in force for the process's log. Secrets are never shown.
 */
import { envNameOf, type OptionSpec, propertyOf } from './option-spec.ts';
import { type ServeOptions, serveOptions } from './options.ts';

const placeholders: Readonly<Record<string, string>> = {
  integer: 'number',
  fraction: '0..1',
  duration: 'duration',
  bytes: 'size',
};

/** "--grpc-address <host:port>"; a boolean has two: "--http" and "--no-http". */
export function flagsOf(spec: OptionSpec): readonly string[] {
  if (spec.kind === 'boolean') return [`--${spec.key}`, `--no-${spec.key}`];
  const placeholder = spec.placeholder ?? spec.choices?.join('|') ?? placeholders[spec.kind] ?? 'text';
  return [`--${spec.key} <${placeholder}>`];
}

/** One line for --help: the sentence, the default and the variable. */
export function helpOf(spec: OptionSpec): string {
  const value = spec.default ?? spec.defaultText;
  return `${spec.sentence} (${value === undefined ? '' : `default: ${value}; `}${envNameOf(spec)})`;
}

/** The text of docs/options.md. */
export function optionsDocument(): string {
  const rows = (serveOptions as readonly OptionSpec[]).map(rowOf);
  return `# Options of \`postern serve\`

A flag counts before an environment variable, that before the options file, that before the default. The options file is YAML,
named with \`--config FILE\` or \`POSTERN_CONFIG\`, and has one line for each option: \`grpc-address: 0.0.0.0:7678\`. A variable that is
empty counts as not set. Names that are not known are errors, and every problem is told at once.

Durations are a number and \`ms\`, \`s\`, \`m\` or \`h\`; sizes a number and \`B\`, \`KiB\`, \`MiB\`, \`GiB\` or \`TiB\`. Lists are separated by commas.

| flag | variable | default | values | |
|---|---|---|---|---|
${rows.join('\n')}

Options marked with a lock may hold a password. They are never shown in messages; prefer the variable or the file, because other users of
a machine can read the flags of its processes.
`;
}

function rowOf(spec: OptionSpec): string {
  const flags = flagsOf(spec)
    .map((flag) => `\`${flag.replaceAll('|', '\\|')}\``)
    .join(' ');
  const value = spec.default === undefined ? (spec.defaultText ?? '') : `\`${spec.default}\``;
  const lock = spec.secret === true ? ' 🔒' : '';
  return `| ${flags}${lock} | \`${envNameOf(spec)}\` | ${value} | ${valuesOf(spec)} | ${spec.sentence.replaceAll('|', '\\|')} |`;
}

function valuesOf(spec: OptionSpec): string {
  if (spec.choices !== undefined) return spec.choices.map((choice) => `\`${choice}\``).join(', ');
  return spec.min === undefined ? spec.kind : `${spec.kind}, ${spec.min} to ${spec.max}`;
}

/** Every option that has a value, by key, as it may be shown. */
export function shownOptions(options: ServeOptions): Readonly<Record<string, unknown>> {
  const values = options as unknown as Readonly<Record<string, unknown>>;
  const shown: Record<string, unknown> = {};
  for (const spec of serveOptions as readonly OptionSpec[]) {
    const value = values[propertyOf(spec)];
    if (value !== undefined) shown[spec.key] = spec.secret === true ? '(not shown)' : value;
  }
  return shown;
}
