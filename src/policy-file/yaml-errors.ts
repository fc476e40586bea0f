/** The YAML library's complaints in the words of somebody who writes a policy. Called by yaml-tree.ts. */
import { type Document, isScalar, visit, type YAMLError } from 'yaml';

export interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** One fault makes many: what follows it is misread too. More than these would hide the first. */
const maxFaults = 10;

/** What is wrong with the syntax, by place, one fault an offset. */
export function explainYamlErrors(document: Document.Parsed, text: string): Fault[] {
  const faults = new Map<number, Fault>();
  for (const error of [...document.errors, ...document.warnings]) {
    const fault = explain(error, document, text);
    if (!faults.has(fault.offset)) faults.set(fault.offset, fault);
  }
  const sorted = [...faults.values()].sort((a, b) => a.offset - b.offset);
  const distinct = sorted.filter((fault, i) => fault.message !== sorted[i - 1]?.message);
  return distinct.slice(0, maxFaults);
}

function explain(error: YAMLError, document: Document.Parsed, text: string): Fault {
  const offset = error.pos[0];
  const found = text.slice(offset, error.pos[1]);
  const message = explainCode(error, found);
  if (message !== undefined) return { offset, message };
  if (error.code === 'MISSING_CHAR' && /quote/.test(error.message)) {
    return { offset: startOfQuote(document, offset), message: 'a quote is opened here and never closed' };
  }
  const [, close] = /end with a ([\]}])$/.exec(error.message) ?? [];
  if (close !== undefined) {
    const open = close === ']' ? '[' : '{';
    const message = `${open} is opened here and not closed; what belongs to it must be indented, and end with ${close}`;
    return { offset: startOfFlow(document, text, offset, [open, close]), message };
  }
  return { offset, message: error.message };
}

function explainCode({ code }: YAMLError, found: string): string | undefined {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab is used to indent; YAML wants spaces';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; a file holds one';
    case 'BAD_ALIAS':
      return "* alone begins an alias in YAML; put it in quotes: '*'";
    case 'BAD_SCALAR_START':
      return `text cannot begin with ${found.slice(0, 1)} in YAML; put it in quotes`;
    case 'TAG_RESOLVE_FAILED':
      return `tags such as ${found} are not supported; remove it`;
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a mapping begins in the middle of a line; put it on the next line, or the text in quotes';
    case 'RESOURCE_EXHAUSTION':
      return 'is nested too deeply';
    default:
      return undefined;
  }
}

/** The last collection before a place that began with one character and does not end with the other. */
function startOfFlow(document: Document.Parsed, text: string, end: number, [open, close]: readonly [string, string]) {
  let start = end;
  visit(document, {
    Collection(_, { range }) {
      if (range == null || range[0] >= end || text[range[0]] !== open) return;
      if (text[range[1] - 1] !== close) start = range[0];
    },
  });
  return start;
}

/** The library reports the end of the text that has no closing quote; a person looks for its beginning. */
function startOfQuote(document: Document.Parsed, end: number): number {
  let start = end;
  visit(document, {
    Scalar(_, node) {
      const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
      if (isScalar(node) && isQuoted && node.range != null && node.range[0] < end) start = node.range[0];
    },
  });
  return start;
}
