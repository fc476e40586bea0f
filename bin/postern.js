#!/usr/bin/env node
// The `postern` command. Picks what to run: src/main.ts in a checkout, dist/main.js in a package; and with
// which Node: the checkout's own where the running one is too old. It must never read an argument.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { become, findNode, isSupportedNode, OLDEST_NODE } from './exec.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'main.ts');

if (isSupportedNode()) {
  await import(existsSync(source) ? '../src/main.ts' : '../dist/main.js');
} else {
  const node = findNode(root);
  if (node === undefined) {
    const hint = existsSync(source) ? ', or run `npm ci` here: it installs a Node of its own' : '';
    console.error(`postern: needs Node ${OLDEST_NODE.join('.')} or later, this is ${process.versions.node}${hint}.`);
    process.exit(1);
  }
  become(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}
