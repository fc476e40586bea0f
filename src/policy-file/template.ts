/**
 * Policies for many tenants from one file: a policy with `${name}` in its texts, and what the names stand for. What
 * is put in is put into texts that are parsed already, so no value can add to the structure of the policy. Called by
 * `postern tenants create`. Every problem is placed in the template, the ones of the finished policy, too.
 */
import { fillTexts, type TemplateFinding } from './fill-texts.ts';
import { parsePolicy } from './parse.ts';
import { type Path, type PolicyProblem, type PolicyResult, type Rejected, rejectFile } from './problem.ts';
import { suggest } from './suggest.ts';
import { readParameters, type TemplateValues } from './template-parameters.ts';
import { parseYaml, type YamlTree } from './yaml-tree.ts';

/** The policy of a template, or everything that is wrong with it, or with the values. It never throws for either. */
export function parseTemplate(text: string, file: string, given: TemplateValues): PolicyResult {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const tree = parseYaml(source);
  const place = createPlacer(tree, source, file);
  if (tree.problems.length > 0) {
    return reject(tree.problems.map(({ offset, message }) => place(offset, [], { message })));
  }
  if (typeof tree.data !== 'object' || tree.data === null || Array.isArray(tree.data)) {
    return rejectFile(file, 'holds no policy; begin with "version: 1"');
  }
  const { parameters, ...policy } = tree.data as Readonly<Record<string, unknown>>;
  const known = readParameters(parameters, given);
  const filled = fillTexts(policy, known);
  const findings = [...known.findings, ...filled.findings, ...findUnknown(given, known.declared, filled.used)];
  if (findings.length > 0) {
    return reject(
      findings.map((finding) => {
        if (finding.path === undefined) return { ...emptyPlace(file), ...describe(finding) };
        return place(tree.offsetOf(finding.path, finding.part), finding.path, finding);
      }),
    );
  }
  // JSON is YAML, on one line: where a problem is in it tells whether it is about a key or a value.
  const json = JSON.stringify(filled.data);
  const result = parsePolicy(json, file);
  const filledTree = parseYaml(json);
  const inTemplate = (problem: PolicyProblem): PolicyProblem => {
    if (problem.line === 0) return problem;
    const part = filledTree.offsetOf(problem.path, 'key') === problem.column - 1 ? 'key' : 'value';
    const path = filled.toTemplatePath(problem.path);
    return place(tree.offsetOf(path, part), path, problem);
  };
  return result.ok
    ? { ...result, warnings: result.warnings.map(inTemplate) }
    : { ...reject(result.problems.map(inTemplate)), omitted: result.omitted };
}

/** Values that no text asks for: mostly a slip in the name. */
function findUnknown(
  { values }: TemplateValues,
  declared: ReadonlySet<string> | undefined,
  used: ReadonlySet<string>,
): TemplateFinding[] {
  const names = declared ?? used;
  return [...values.keys()]
    .filter((name) => name !== 'tenant' && !names.has(name))
    .map((name) => ({
      path: undefined,
      part: 'value',
      message: `the template has no parameter ${JSON.stringify(name)}`,
      suggestion: suggest(name, names),
    }));
}

type Placer = (offset: number, path: Path, about: Pick<TemplateFinding, 'message' | 'suggestion'>) => PolicyProblem;

function createPlacer(tree: YamlTree, source: string, file: string): Placer {
  return (offset, path, about) => {
    const { line, column } = tree.positionOf(offset);
    const start = offset - (column - 1);
    const [sourceLine = ''] = /^[^\r\n]*/.exec(source.slice(start, start + 400)) ?? [];
    return { file, line, column, path, sourceLine, ...describe(about) };
  };
}

function emptyPlace(file: string) {
  return { file, line: 0, column: 0, path: [], sourceLine: '' };
}

function describe({ message, suggestion }: Pick<TemplateFinding, 'message' | 'suggestion'>) {
  return suggestion === undefined ? { message } : { message, suggestion };
}

function reject(problems: readonly PolicyProblem[]): Rejected {
  return { ok: false, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column), omitted: 0 };
}
