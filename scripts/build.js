// `npm run build`: src as JavaScript in dist, with the files that are not TypeScript (Lua, JSON) beside it.
// It must never leave a file of an earlier build behind.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './setup.js';

const source = join(root, 'src');
const target = join(root, 'dist');

rmSync(target, { recursive: true, force: true });
const compiler = join(root, 'node_modules', '.bin', 'tsc');
const result = spawnSync(compiler, ['-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
if (result.error !== undefined) fail(`cannot run the compiler (${result.error.message}). Run \`npm ci\` first.`);
if (result.status !== 0) process.exit(result.status ?? 1);
cpSync(source, target, { recursive: true, filter: (path) => statSync(path).isDirectory() || !path.endsWith('.ts') });
