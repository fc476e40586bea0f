// Reads what a source file imports and exports, without a parser: the compiler has no JavaScript interface, and the
// code base allows only plain import statements. Called by the rules. It must never resolve or load a module.

export interface SourceFile {
  /** Relative to the repository, with forward slashes: `src/model/subject.ts`. */
  readonly path: string;
  readonly text: string;
}

const COMMENT_OR_STRING = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(['"])([^'"\n]+)\1/gm;

/** Every module that the file names in an import or a re-export, types and dynamic ones included, in order. */
export function readImports(text: string): string[] {
  return [...withoutComments(text).matchAll(IMPORT)].map((match) => match[2] ?? '');
}

export function hasDefaultExport(text: string): boolean {
  return /^\s*export\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/m.test(withoutStrings(text));
}

/** Whether the type `any` is written somewhere. */
export function hasAny(text: string): boolean {
  return /(?::|<|\||&|=>|\bas|\bextends|\bsatisfies)\s*any\b(?!\s*[.(])|,\s*any\s*>/.test(withoutStrings(text));
}

function withoutComments(text: string): string {
  return text.replace(COMMENT_OR_STRING, (found) => (found.startsWith('/') ? ' ' : found));
}

function withoutStrings(text: string): string {
  return text.replace(COMMENT_OR_STRING, (found) => (found.startsWith('/') ? ' ' : "''"));
}
