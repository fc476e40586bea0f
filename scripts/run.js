// Runs a file of this checkout on the pinned Node: `node scripts/run.js FILE [ARGUMENT...]`.
// It must never do anything beyond installing what is missing and starting that file.
import { become } from '../bin/exec.js';
import { ensureDependencies, fail, pinnedNode } from './setup.js';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('usage: node scripts/run.js FILE [ARGUMENT...]');
ensureDependencies();
become(pinnedNode(), [file, ...args]);
