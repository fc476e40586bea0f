/**
 * Options from their sources: a flag counts before the environment, that before
 * the file, that before the default. Called once, at start, by the CLI. Every
 * problem of every source is told at once, and a secret value never is.
 */
import { messageOf, PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { clashesOf } from './check-options.ts';
import { envNameOf, type OptionSpec, propertyOf, toCamel } from './option-spec.ts';
import { type ServeOptions, serveOptions } from './options.ts';
import { type ParsedValue, parseValue } from './parse-value.ts';

export interface OptionSources {
  /** Flags that were given, by the camel-case key as commander names them; `undefined` is not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the options file holds, parsed; undefined without one. */
  readonly file?: { readonly path: string; readonly values: unknown };
  /** The candidate that a name was probably meant to be. */
  readonly suggest: (name: string, candidates: Iterable<string>) => string | undefined;
  /**
   * Further checks by key, of single values and of each item of a list; what they throw becomes a problem. A secret must
   * not be in its message.
   */
  readonly validators?: Readonly<Record<string, (text: string) => unknown>>;
  /** Variables with our prefix that other commands read. */
  readonly otherVariables?: readonly string[];
  /** What this process is called where nobody says. */
  readonly instance: string;
}

/** Names the options file; read by the CLI, before this. */
export const fileVariable = 'POSTERN_CONFIG';
/** Kubernetes announces every service to every pod: one called "postern" gives POSTERN_SERVICE_HOST, POSTERN_PORT, ... */
const ofKubernetes = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

const specs: readonly OptionSpec[] = serveOptions;

/**
 * Merges and checks all sources.
 * @throws PosternError INVALID_OPTION whose message has one line for each problem
 */
export function parseOptions(sources: OptionSources): ServeOptions {
  const problems: string[] = unknownNames(sources);
  const misspelt = problems.length > 0;
  const unreadable = new Set<string>();
  const fileValues = toRecord(sources, problems);
  const values: Record<string, ParsedValue | undefined> = {};
  for (const spec of specs) {
    const written = findWritten(spec, sources, fileValues);
    const value = written === undefined ? undefined : checkedValue(spec, written, sources, problems);
    if (written !== undefined && value === undefined) unreadable.add(spec.key);
    values[propertyOf(spec)] = value ?? defaultOf(spec, sources);
  }
  const options = values as unknown as ServeOptions;
  for (const { about, missing, message } of clashesOf(options)) {
    const falseAlarm = about.some((key) => unreadable.has(key)) || (missing === true && misspelt);
    if (!falseAlarm) problems.push(message);
  }
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'an option is wrong' : `${problems.length} options are wrong`;
    throw new PosternError('INVALID_OPTION', `${count}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
  return options;
}

interface Written {
  readonly value: unknown;
  /** The flag, variable or key that holds it, as one would look for it. */
  readonly where: string;
}

function findWritten(
  spec: OptionSpec,
  { flags, env, file }: OptionSources,
  fileValues: Readonly<Record<string, unknown>>,
): Written | undefined {
  const flag = flags[toCamel(spec.key)];
  if (flag !== undefined) return { value: flag, where: `--${spec.key}` };
  const name = envNameOf(spec);
  const variable = env[name];
  // A variable that is set to nothing is how a manifest switches one off.
  if (variable !== undefined && variable !== '') return { value: variable, where: name };
  const value = fileValues[spec.key];
  return value === undefined ? undefined : { value, where: `${file?.path}: ${spec.key}` };
}

function checkedValue(
  spec: OptionSpec,
  written: Written,
  sources: OptionSources,
  problems: string[],
): ParsedValue | undefined {
  const shown = spec.secret === true ? '(not shown)' : show(written.value);
  const parsed = parseValue(spec, written.value);
  if ('problem' in parsed) {
    const meant =
      spec.choices !== undefined && typeof written.value === 'string'
        ? sources.suggest(written.value, spec.choices)
        : undefined;
    problems.push(
      `${written.where} ${shown} ${parsed.problem}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    );
    return undefined;
  }
  try {
    const validate = sources.validators?.[spec.key];
    if (validate !== undefined) for (const text of textsOf(parsed.value)) validate(text);
  } catch (error) {
    problems.push(`${written.where} ${shown}: ${messageOf(error)}`);
  }
  return parsed.value;
}

function textsOf(value: ParsedValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

function defaultOf(spec: OptionSpec, sources: OptionSources): ParsedValue | undefined {
  if (spec.key === 'instance') return sources.instance;
  if (spec.default === undefined) return undefined;
  const parsed = parseValue(spec, spec.default);
  if ('problem' in parsed) throw new Error(`the default of ${spec.key} ${parsed.problem}`);
  return parsed.value;
}

function toRecord({ file }: OptionSources, problems: string[]): Readonly<Record<string, unknown>> {
  if (file === undefined || file.values === null || file.values === undefined) return {};
  if (typeof file.values === 'object' && !Array.isArray(file.values)) return file.values as Record<string, unknown>;
  problems.push(`${file.path} is not a list of "option: value" lines`);
  return {};
}

function unknownNames(sources: OptionSources): string[] {
  const { flags, env, file, suggest, otherVariables = [] } = sources;
  const keys = specs.map((spec) => spec.key);
  const problems: string[] = [];
  const tell = (where: string, name: string, candidates: readonly string[], prefix = '') => {
    const meant = suggest(name, candidates);
    problems.push(`${where} is not an option${meant === undefined ? '' : `; did you mean ${prefix}${meant}?`}`);
  };
  for (const name of Object.keys(flags)) {
    const key = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (flags[name] !== undefined && key !== 'config' && !keys.includes(key)) tell(`--${key}`, key, keys, '--');
  }
  const variables = specs.map(envNameOf);
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith('POSTERN_') || name === fileVariable || ofKubernetes.test(name)) continue;
    if (otherVariables.includes(name)) continue;
    if (!variables.includes(name)) tell(name, name, variables);
  }
  if (file !== undefined && typeof file.values === 'object' && file.values !== null && !Array.isArray(file.values)) {
    for (const key of Object.keys(file.values)) if (!keys.includes(key)) tell(`${file.path}: ${key}`, key, keys);
  }
  return problems;
}

function show(value: unknown): string {
  return quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
}
