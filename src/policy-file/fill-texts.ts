/**
 * Puts values in the place of `${name}` in the texts and keys of parsed YAML; `$${` stands for `${`. Called by
 * template.ts. It never looks at text that it has put in, and never makes anything but text.
 */
import type { Path } from './problem.ts';
import { suggest } from './suggest.ts';

export interface TemplateFinding {
  /** Undefined: about what was given, and not about the file. */
  readonly path: Path | undefined;
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** What names stand for. */
export interface Known {
  readonly values: ReadonlyMap<string, string>;
  /** The names that there are; undefined where any name is one. */
  readonly declared: ReadonlySet<string> | undefined;
}

export interface Filled {
  readonly data: unknown;
  readonly findings: readonly TemplateFinding[];
  /** Names that some text asks for. */
  readonly used: ReadonlySet<string>;
  /** Where in the template a place of the filled data is: keys may have changed. */
  readonly toTemplatePath: (path: Path) => Path;
}

export function fillTexts(data: unknown, { values, declared }: Known): Filled {
  const findings: TemplateFinding[] = [];
  const used = new Set<string>();
  /** By the filled path to it, as JSON. */
  const writtenKeys = new Map<string, string>();

  return {
    data: fill(data, [], []),
    findings,
    used,
    toTemplatePath: (path) => path.map((step, i) => writtenKeys.get(JSON.stringify(path.slice(0, i + 1))) ?? step),
  };

  /** @param path In the template. @param filledPath In the result. */
  function fill(value: unknown, path: Path, filledPath: Path): unknown {
    if (typeof value === 'string') return fillOne(value, path, 'value');
    if (Array.isArray(value)) return value.map((item, i) => fill(item, [...path, i], [...filledPath, i]));
    if (typeof value !== 'object' || value === null) return value;
    const result = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of Object.entries(value)) {
      const own = [...path, key];
      const name = fillOne(key, own, 'key');
      const filled = [...filledPath, name];
      if (name in result || name === '__proto__') {
        const message = `key ${JSON.stringify(key)} becomes ${JSON.stringify(name)}, which ${name in result ? 'is there already' : 'is not allowed'}`;
        findings.push({ path: own, part: 'key', message });
        continue;
      }
      if (name !== key) writtenKeys.set(JSON.stringify(filled), key);
      result[name] = fill(item, own, filled);
    }
    return result;
  }

  function fillOne(text: string, path: Path, part: 'key' | 'value'): string {
    const { text: filled, problems } = fillText(text, values, used, declared);
    for (const { message, suggestion } of problems) findings.push({ path, part, message, suggestion });
    return filled;
  }
}

const mark = /\$\$\{|\$\{([^}]*)(\}?)/g;

/**
 * One text. What cannot be filled is left as it is.
 * @param used Gets the names that the text asks for.
 */
export function fillText(
  text: string,
  values: ReadonlyMap<string, string>,
  used: Set<string>,
  declared?: ReadonlySet<string>,
): { readonly text: string; readonly problems: readonly Pick<TemplateFinding, 'message' | 'suggestion'>[] } {
  const problems: Pick<TemplateFinding, 'message' | 'suggestion'>[] = [];
  const filled = text.replaceAll(mark, (written: string, name: string | undefined, end: string) => {
    if (name === undefined) return '${';
    if (end === '') {
      problems.push({ message: '${ is opened here and never closed; to write it as text, write $${' });
      return written;
    }
    const isKnown = declared === undefined || declared.has(name) || name === 'tenant';
    used.add(name);
    const value = values.get(name);
    if (isKnown && value !== undefined) return value;
    problems.push(isKnown && declared === undefined ? unset(name, values) : unknown(name, declared ?? new Set()));
    return written;
  });
  return { text: filled, problems };
}

function unset(name: string, values: ReadonlyMap<string, string>) {
  const message = `parameter ${JSON.stringify(name)} is not set; add --set ${name}=<value>`;
  return { message, suggestion: suggest(name, values.keys()) };
}

function unknown(name: string, declared: ReadonlySet<string>) {
  const message = `unknown parameter ${JSON.stringify(name)}; declare it under "parameters:"`;
  return { message, suggestion: suggest(name, [...declared, 'tenant']) };
}
