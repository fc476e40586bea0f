// `npm start`: the sidecar; what follows `--` are options of `postern serve`. Where neither they nor the environment
// say what to serve, it serves the quickstart example and prints what to try.
// It must never change an option that somebody gave.
import { join } from 'node:path';
import { become, SERVING_FLAG } from '../bin/exec.js';
import { ensureDependencies, pinnedNode, root } from './setup.js';

const args = process.argv.slice(2);
const isChoice = (/** @type {string} */ arg) => /^--(policy|redis|config|help)(=|$)|^-h$/.test(arg);
const chosenByVariable = ['POSTERN_POLICY', 'POSTERN_REDIS', 'POSTERN_CONFIG'].some((name) => process.env[name]);
const example = ['--policy', join('examples', 'quickstart', 'policy.yaml'), '--hints'];

ensureDependencies();
const choice = chosenByVariable || args.some(isChoice) ? [] : example;
become(pinnedNode(), [SERVING_FLAG, join(root, 'bin', 'postern.js'), 'serve', ...choice, ...args]);
