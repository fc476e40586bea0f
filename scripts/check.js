// `npm run check`: everything that is checked without running the code. All of it runs even where one part fails,
// so that one run names every problem. It must never change a file outside dist.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureDependencies, fail, pinnedNode, root, say } from './setup.js';

const tool = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
const script = (/** @type {string} */ name) => join(root, 'scripts', name);

ensureDependencies();
const node = pinnedNode();

/** @type {ReadonlyArray<readonly [title: string, command: string, args: readonly string[]]>} */
const parts = [
  ['format and lint', tool('biome'), ['check', '--error-on-warnings', '.']],
  ['types', tool('tsc'), ['-p', '.']],
  ['generated code', node, [script('check-generated.js')]],
  ['policy schemas', node, [script('generate-schema.ts'), '--check']],
  ['proto lint', tool('buf'), ['lint']],
  ['proto format', tool('buf'), ['format', '--diff', '--exit-code', '--path', 'proto/postern']],
  ['build', node, [script('build.js')]],
];

const failed = parts.filter(([title, command, args]) => {
  say(`check: ${title}`);
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error !== undefined) say(result.error.message);
  return result.status !== 0;
});
if (failed.length > 0) fail(`check failed: ${failed.map(([title]) => title).join(', ')}.`);
say(`check: all ${parts.length} parts are in order.`);
