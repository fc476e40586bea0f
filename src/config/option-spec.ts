/** What an option of `postern serve` is, and how its key is spelt elsewhere. The options themselves are in options.ts. */

export type OptionKind =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'fraction'
  | 'duration'
  | 'bytes'
  | 'address'
  | 'list'
  | 'choice'
  | 'permissions';

export interface OptionSpec {
  readonly key: string;
  readonly kind: OptionKind;
  /** As one would write it; absent where the option may stay unset. */
  readonly default?: string;
  /** What stands for the default in help, where it is computed. */
  readonly defaultText?: string;
  /** Bounds, both included, as one would write them. */
  readonly min?: string;
  readonly max?: string;
  readonly choices?: readonly string[];
  /** What stands for the value in help. */
  readonly placeholder?: string;
  /** One sentence. */
  readonly sentence: string;
  /** Never shown: may hold a password. */
  readonly secret?: true;
}

/** "grpc-address" as commander and other code name it: "grpcAddress". */
export function toCamel(key: string): string {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The name in ServeOptions: the camel-case key, with the unit where there is one. */
export function propertyOf(spec: OptionSpec): string {
  return spec.kind === 'duration' ? `${toCamel(spec.key)}Ms` : toCamel(spec.key);
}

export function envNameOf(spec: OptionSpec): string {
  return `POSTERN_${spec.key.toUpperCase().replaceAll('-', '_')}`;
}
