/**
 * Options that several commands share, so that one name means one thing
 * everywhere. Parsing happens here; what an option does is the command's affair.
 */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { envNameOf, type OptionSpec } from '../config/option-spec.ts';
import { serveOptions } from '../config/options.ts';
import { parseValue } from '../config/parse-value.ts';
import { redisOptions } from '../config/redis-options.ts';
import { Reach } from '../gen/postern/v1/decision_pb.ts';
import type { RedisSettings } from '../store/redis/access.ts';
import type { AskerOptions } from './open-asker.ts';
import { addressVariable, tenantVariable } from './variables.ts';

/** The sidecar's own option of this name: what the two sides share is written once. */
export function specOf(key: (typeof serveOptions)[number]['key']): OptionSpec {
  return serveOptions.find((spec) => spec.key === key) as OptionSpec;
}

/** What every question command gets. */
export interface QuestionOptions extends AskerOptions {
  readonly json?: true;
  readonly tenant?: string;
  readonly atLeast?: string;
  readonly reach: 'inherited' | 'exact';
  readonly group?: readonly string[];
  readonly activeRole?: readonly string[];
  readonly attribute?: JsonObject;
}

/** Whom to ask, and how to print what it says. */
export function addQuestionOptions(command: Command): Command {
  return addSidecarOptions(command)
    .hook('preAction', (_, asked) => checkPolicyOption(asked))
    .addOption(new Option('--policy <file>', 'ask this policy file, without a sidecar').conflicts(['atLeast']))
    .addOption(tenantOption())
    .option('--at-least <token>', 'answer from this revision or a later one')
    .addOption(
      new Option('--reach <how>', 'exact: only bindings on the object itself count')
        .choices(['inherited', 'exact'])
        .default('inherited'),
    )
    .addOption(attributeOption())
    .addOption(jsonOption());
}

/** A file has no tenants; a variable that names one is about sidecars. */
function checkPolicyOption(command: Command): void {
  if (command.getOptionValue('policy') === undefined) return;
  if (command.getOptionValueSource('tenant') === 'env') command.setOptionValue('tenant', undefined);
  else if (command.getOptionValue('tenant') !== undefined) {
    command.error("error: option '--policy <file>' cannot be used with option '--tenant <name>'");
  }
}

/** Whom to ask, as ConnectOptions; a group of its own in the help. */
export function addSidecarOptions(command: Command): Command {
  return command
    .optionsGroup('Options for the sidecar:')
    .addOption(
      new Option('--address <address>', 'the sidecar: host:port or unix:/path')
        .env(addressVariable)
        .default(specOf('grpc-address').default),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for an answer').argParser(parseTimeout).default(5000, '5s'),
    )
    .option('--tls-ca <file>', 'speak TLS, and trust those who sign in this PEM file')
    .option('--tls-cert <file>', 'speak TLS, and show this certificate (PEM)')
    .option('--tls-key <file>', 'the private key of --tls-cert (PEM)')
    .optionsGroup('');
}

export function groupOption(): Option {
  // Repeatable and not variadic: a list without an end would swallow the subject behind it.
  return new Option(
    '--group <group>',
    'a group that you assert the subject to be in: group:<id>; repeatable',
  ).argParser(collect);
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For every command that asks for one subject. */
export function activeRoleOption(): Option {
  return new Option(
    '--active-role <name>',
    'only this role is active, and what it includes; repeatable; left out, all roles are',
  ).argParser(collect);
}

/** @param description What it means where it is left out. */
export function tenantOption(description = 'the tenant; may be left out where there is one'): Option {
  const option = new Option('--tenant <name>', description);
  // Beside a sidecar that serves several, the variable names no tenant to ask about.
  return /[*,]/.test(process.env[tenantVariable] ?? '') ? option : option.env(tenantVariable);
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON for machines');
}

/** What says how Redis is reached, beside its URL; as they were written. */
export type RedisFlags = Omit<RedisSettings, 'redis'> & { readonly redis?: string };

/** @param holds What the command reads or writes there; undefined where its URL is an argument. */
export function addRedisOptions(command: Command, holds?: 'graph' | 'decisions'): Command {
  if (holds !== undefined) {
    const sentence = `the Redis that holds the ${holds}: redis://[user:password@]host[:port][/db]`;
    command.addOption(new Option('--redis <url>', sentence).env(envNameOf(specOf('redis'))));
  }
  command.optionsGroup('Options for Redis:');
  for (const spec of redisOptions) {
    const option = new Option(`--${spec.key} <${spec.placeholder}>`, helpSentence(spec.sentence));
    command.addOption(option.env(envNameOf(spec)));
  }
  return command.optionsGroup('');
}

/** As the help of a command begins and ends its sentences. */
function helpSentence(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1, -1)}`;
}

/** The part of a request that these options fill. */
export function toRequest({ tenant = '', atLeast = '', reach }: QuestionOptions) {
  return { tenant, atLeast, reach: reach === 'exact' ? Reach.EXACT : Reach.INHERITED };
}

/** What the caller knows beyond names, as the wire wants it: absent where there is nothing. */
export function toContext(options: Pick<QuestionOptions, 'group' | 'activeRole' | 'attribute'>) {
  const { group = [], activeRole = [], attribute = {} } = options;
  if (group.length === 0 && activeRole.length === 0 && Object.keys(attribute).length === 0) return {};
  return { context: { assertedGroups: [...group], activeRoles: [...activeRole], attributes: attribute } };
}

/** An attribute for conditions: name=value, the value as JSON, or as text where it is no JSON. */
function attributeOption(): Option {
  return new Option(
    '--attribute <name=value>',
    'what conditions see as context.<name>; the value is JSON, or else text; repeatable',
  ).argParser(parseAttribute);
}

function parseAttribute(written: string, before: JsonObject = {}): JsonObject {
  const equals = written.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write it as name=value.');
  const text = written.slice(equals + 1);
  let value: JsonValue = text;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    // Text that is no JSON stands for itself.
  }
  return { ...before, [written.slice(0, equals)]: value };
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > 0xffff_ffff) {
    throw new InvalidArgumentError('It is not a whole number from 1 to 4294967295.');
  }
  return value;
}

/** "500ms", "10s", "5m", in milliseconds. */
function parseTimeout(text: string): number {
  const parsed = parseValue({ key: 'timeout', kind: 'duration', min: '1ms', max: '1h', sentence: '' }, text);
  if ('problem' in parsed) throw new InvalidArgumentError(`It ${parsed.problem}.`);
  return parsed.value as number;
}

/** Adds examples to the help, each with what it does. */
export function addExamples(command: Command, examples: readonly (readonly [line: string, what: string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) =>
    `  $ ${line.padEnd(width)}  ${what === '' ? '' : `# ${what}`}`.trimEnd(),
  );
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
