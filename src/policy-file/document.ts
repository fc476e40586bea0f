/**
 * Text to data of a known shape, or all that is wrong with it, placed. Called by parse.ts and test-file.ts,
 * which say what the data means.
 */
import type * as z from 'zod';
import { maxPolicyFileBytes } from '../model/limits.ts';
import { type Path, type PolicyProblem, type Rejected, rejectFile } from './problem.ts';
import { findShapeProblems } from './shape-problems.ts';
import { parseYaml, type YamlTree } from './yaml-tree.ts';

const maxProblems = 1_000;

/** A place in the document: the key or the value at a path. */
export interface Place {
  readonly path: Path;
  readonly part: 'key' | 'value';
}

export interface Finding extends Place {
  readonly message: string;
  readonly suggestion?: string | undefined;
}

export interface ParsedDocument<T> {
  readonly ok: true;
  readonly data: T;
  readonly toProblem: (finding: Finding) => PolicyProblem;
  readonly positionOf: (place: Place) => { readonly line: number; readonly column: number };
  /** Sorted by place; `omitted` more were found and left out. */
  readonly reject: (findings: readonly Finding[], omitted?: number) => Rejected;
}

/** @param beginning What an empty file should begin with. */
export function parseDocumentOf<S extends z.ZodType>(
  schema: S,
  text: string,
  file: string,
  beginning = '"version: 1"',
): ParsedDocument<z.infer<S>> | Rejected {
  if (Buffer.byteLength(text) > maxPolicyFileBytes) {
    return rejectFile(file, `is larger than ${maxPolicyFileBytes} bytes; split it, or load it into Redis`);
  }
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const tree = parseYaml(source);
  const placed = createPlacer(tree, source, file);
  if (tree.problems.length > 0) {
    const problems = tree.problems.map(({ offset, message }) => placed.at(offset, [], message));
    return rejectWith(problems, 0);
  }
  if (tree.data === null || tree.data === undefined) return rejectFile(file, `is empty; begin with ${beginning}`);
  const document: ParsedDocument<z.infer<S>> = {
    ok: true,
    data: tree.data as z.infer<S>,
    toProblem: placed.toProblem,
    positionOf: ({ path, part }) => tree.positionOf(tree.offsetOf(path, part)),
    reject: (findings, omitted = 0) => rejectWith(findings.map(placed.toProblem), omitted),
  };
  const shape = findShapeProblems(schema, tree.data);
  return shape.length === 0
    ? document
    : document.reject(shape.slice(0, maxProblems), Math.max(shape.length - maxProblems, 0));
}

function createPlacer(tree: YamlTree, source: string, file: string) {
  const at = (offset: number, path: Path, message: string, suggestion?: string): PolicyProblem => {
    const { line, column } = tree.positionOf(offset);
    const lineStart = offset - (column - 1);
    const sourceLine = (/^[^\r\n]*/.exec(source.slice(lineStart, lineStart + 400)) as RegExpExecArray)[0];
    const problem = { file, line, column, message, path, sourceLine };
    return suggestion === undefined ? problem : { ...problem, suggestion };
  };
  const toProblem = ({ path, part, message, suggestion }: Finding) =>
    at(tree.offsetOf(path, part), path, message, suggestion);
  return { at, toProblem };
}

function rejectWith(problems: readonly PolicyProblem[], omitted: number): Rejected {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return {
    ok: false,
    problems: sorted.slice(0, maxProblems),
    omitted: omitted + Math.max(sorted.length - maxProblems, 0),
  };
}
