/** The pages that people read, and what is code in them. Called by the tests that hold the pages to the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Block {
  /** "sh", "yaml"; empty where none is named. */
  readonly language: string;
  readonly text: string;
}

export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  /** Fenced blocks. */
  readonly blocks: readonly Block[];
  /** Spans in backticks, and the lines of blocks: what a reader would copy. In YAML and Dockerfiles, the comments. */
  readonly code: readonly string[];
  /** Targets of links, without those to other sites. */
  readonly links: readonly string[];
}

const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  if (!path.endsWith('.md')) {
    const comments = [...text.matchAll(/^\s*#(.*)$/gm)].map(([, comment = '']) => comment.trim());
    return { path, text, blocks: [], code: comments, links: [] };
  }
  const blocks = [...text.matchAll(fence)].map(([, language = '', body = '']) => ({ language, text: body }));
  const prose = text.replaceAll(fence, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll(/\s+/g, ' '));
  const lines = blocks.flatMap((block) => block.text.split('\n')).filter((line) => line !== '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return { path, text, blocks, code: [...spans, ...lines], links: targets.filter((target) => !/^\w+:/.test(target)) };
}

/** README.md, docs, the READMEs of the examples, the Dockerfile and the manifests. */
export function readPages(): readonly Page[] {
  const below = (directory: string, wanted: RegExp) =>
    readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && wanted.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const paths = ['README.md', ...below('docs', /\.md$/), ...below('examples', /^README\.md$/)];
  return [...paths, 'Dockerfile', ...below('deploy', /\.(ya?ml|md)$/)].sort().map(readPage);
}

/** The block of a language that holds a text; throws where it is not there, so that no test passes without it. */
export function blockWith(page: Page, language: string, part: string): string {
  const found = page.blocks.find((block) => block.language === language && block.text.includes(part));
  if (found === undefined) throw new Error(`${page.path} has no ${language} block with ${JSON.stringify(part)}`);
  return found.text;
}
