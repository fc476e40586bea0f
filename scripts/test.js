// `npm test`: every suite, or the files and options after `--`. Installs what is missing first.
// It must never pass where Redis is missing: suites that are silently left out prove nothing.
import { join } from 'node:path';
import { become } from '../bin/exec.js';
import { ensureRedis } from './redis.js';
import { ensureDependencies, fail, pinnedNode, root } from './setup.js';

ensureDependencies();
try {
  await ensureRedis();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
become(pinnedNode(), [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)]);
