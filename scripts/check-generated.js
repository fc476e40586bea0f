// `npm run check:generated`: generates the code of proto/ anew in a temporary directory and compares it with src/gen.
// It must never write to src/gen: `npm run generate` does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, root } from './setup.js';

/** Paths of all files below a directory, relative to it, sorted. */
function listFiles(/** @type {string} */ directory) {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

function compare(/** @type {string} */ committed, /** @type {string} */ generated) {
  const names = new Set([...listFiles(committed), ...listFiles(generated)]);
  return [...names].flatMap((name) => {
    if (!existsSync(join(generated, name))) return [`src/gen/${name}: no proto file makes it`];
    if (!existsSync(join(committed, name))) return [`src/gen/${name}: missing`];
    const same = readFileSync(join(committed, name)).equals(readFileSync(join(generated, name)));
    return same ? [] : [`src/gen/${name}: differs from what its proto file makes`];
  });
}

/** Lines that say what is wrong; none where all is well. */
function findProblems(/** @type {string} */ scratch) {
  const buf = join(root, 'node_modules', '.bin', 'buf');
  const result = spawnSync(buf, ['generate', '--output', scratch], { cwd: root, stdio: 'inherit' });
  if (result.error !== undefined) return [`cannot run buf (${result.error.message}): run \`npm ci\` first`];
  if (result.status !== 0) return ['buf could not generate the code of proto/; its own words are above'];
  const generated = join(scratch, 'src', 'gen');
  if (listFiles(generated).length === 0) return ['buf generated nothing: is proto/ empty?'];
  return compare(join(root, 'src', 'gen'), generated);
}

const scratch = mkdtempSync(join(tmpdir(), 'postern-generated-'));
const problems = findProblems(scratch);
rmSync(scratch, { recursive: true, force: true });
for (const problem of problems) console.error(problem);
if (problems.length > 0) fail('src/gen is not what proto/ makes: run `npm run generate` and commit the result.');
