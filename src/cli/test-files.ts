/** Finds policy tests. Called by `postern test` and `postern validate`; it reads no file. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PosternError } from '../model/errors.ts';
import { explainFileError } from '../policy-file/load.ts';

const testName = /\.test\.(ya?ml|json)$/;

/** Whether a file is one of policy tests, by its name. */
export function isTestFile(path: string): boolean {
  return testName.test(path);
}

/**
 * The files that are named, and the test files below the directories that are named, sorted by path.
 * Hidden directories and node_modules are passed over.
 * @throws PosternError INVALID_OPTION for a path that is not there, and for a file that is no test by its name
 */
export async function findTestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const isWhole = await isDirectory(path);
    if (!isWhole && !isTestFile(path)) {
      const message = `${path} is not called *.test.yaml, as policy tests are; name those, or the directory they are in`;
      throw new PosternError('INVALID_OPTION', message, { field: path });
    }
    for (const file of isWhole ? await walk(path) : [path]) found.add(file);
  }
  return [...found];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new PosternError(
      'INVALID_OPTION',
      `${path} cannot be read: ${explainFileError(error)}`,
      { field: path },
      error,
    );
  }
}

async function walk(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules') found.push(...(await walk(path)));
    } else if (isTestFile(entry.name)) found.push(path);
  }
  return found;
}
