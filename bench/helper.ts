/** Processes of a benchmark's own, beside the sidecar: a client, a writer. Each answers one message with one. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Helper {
  /** Sends a message, and resolves with what comes back; one at a time. @throws Error where the helper ends instead */
  ask(message: string): Promise<unknown>;
  stop(): Promise<void>;
}

export function startHelper(script: string, ...args: string[]): Helper {
  const child = fork(script, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  return {
    async ask(message) {
      const answer = once(child, 'message');
      child.send(message);
      const [first] = await Promise.race([
        answer,
        ended.then(([code]) => Promise.reject(new Error(`${script} ended with ${code}`))),
      ]);
      return first;
    },
    async stop() {
      if (child.connected) child.disconnect();
      child.kill('SIGTERM');
      await ended;
    },
  };
}
