/** The worker of parse-aside.ts: parses the one policy that it is given, sends the result, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { parsePolicy } from './parse.ts';
import type { ParseTask } from './parse-aside.ts';

const { text, fileName } = workerData as ParseTask;
parentPort?.postMessage(parsePolicy(text, fileName));
