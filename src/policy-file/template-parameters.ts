/** The parameters of a template: which there are, and what each stands for. Called by template.ts. */
import { fillText, type Known, type TemplateFinding } from './fill-texts.ts';
import type { Path } from './problem.ts';

export interface TemplateValues {
  /** What `${tenant}` stands for. */
  readonly tenant: string;
  /** What the other names stand for; they win over the defaults of the template. */
  readonly values: ReadonlyMap<string, string>;
}

/** With what `${tenant}` stands for. */
export interface Parameters extends Known {
  readonly findings: readonly TemplateFinding[];
}

/** A letter, then what YAML and shells leave alone. */
const parameterName = /^[A-Za-z][A-Za-z0-9_-]*$/;
const problemOfName = 'is not a legal name; a name is a letter, then letters, digits, _ and -';
// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a template writes it
const problemOfDefault = 'names more than the tenant; in a default, only ${tenant} stands for something';
const top = 'parameters';

/** @param parameters What stands under `parameters:` in the template, untrusted. */
export function readParameters(parameters: unknown, { tenant, values: given }: TemplateValues): Parameters {
  const values = new Map([...given, ['tenant', tenant]]);
  const findings: TemplateFinding[] = [];
  if (parameters === undefined) return { values, declared: undefined, findings };
  const report = (path: Path, part: 'key' | 'value', message: string, suggestion?: string) => {
    findings.push({ path, part, message, suggestion });
  };
  if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    report([top], 'value', 'must be a mapping from the name of a parameter to {description, default}');
    return { values, declared: undefined, findings };
  }
  const entries = Object.entries(parameters ?? {});
  for (const [name, parameter] of entries) {
    const path = [top, name];
    if (name === 'tenant') report(path, 'key', 'parameter "tenant" is always there; leave it out');
    else if (!parameterName.test(name)) report(path, 'key', `parameter ${JSON.stringify(name)} ${problemOfName}`);
    else if (typeof parameter !== 'object' || Array.isArray(parameter)) {
      report(path, 'value', 'must be a mapping with description and default, or nothing');
    } else readParameter(name, parameter ?? {});
  }
  return { values, declared: new Set(entries.map(([name]) => name)), findings };

  function readParameter(name: string, parameter: object): void {
    const path = [top, name];
    for (const [field, value] of Object.entries(parameter)) {
      if (field !== 'description' && field !== 'default') {
        report(
          [...path, field],
          'key',
          `unknown key ${JSON.stringify(field)}; a parameter has description and default`,
        );
      } else if (typeof value !== 'string') report([...path, field], 'value', 'must be text; put it in quotes');
    }
    const fallback: unknown = 'default' in parameter ? parameter.default : undefined;
    if (typeof fallback === 'string') {
      // There is no order among parameters that one could stand for another in.
      const { text, problems } = fillText(fallback, new Map([['tenant', tenant]]), new Set());
      if (problems.length > 0) report([...path, 'default'], 'value', problemOfDefault);
      if (!given.has(name)) values.set(name, text);
    } else if (fallback === undefined && !given.has(name)) {
      const about = 'description' in parameter ? ` (${String(parameter.description)})` : '';
      report(path, 'key', `parameter ${JSON.stringify(name)}${about} is not set; add --set ${name}=<value>`);
      // So that it is told once, and not wherever it is used.
      values.set(name, '');
    }
  }
}
