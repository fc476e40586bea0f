/** Runs the real `postern` on a terminal of its own, by script(1), and answers what it asks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cleanEnvironment, posternPath } from './postern.ts';

const scriptPath = '/usr/bin/script';
/** Other systems have another script(1), or none. */
export const hasTerminal = process.platform === 'linux' && existsSync(scriptPath);

/**
 * @param onQuestion Called once with the text so far when it asks; what it returns is typed.
 * @returns What the terminal showed, both streams as one.
 */
export async function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onQuestion: () => Promise<string>,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const command = [process.execPath, posternPath, ...args]
    .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
    .join(' ');
  const child = spawn(scriptPath, ['-qec', command, '/dev/null'], {
    env: { ...cleanEnvironment(), NO_COLOR: '1', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  let isAsked = false;
  child.stdout.on('data', async (part: Buffer) => {
    text += part.toString();
    if (isAsked || !/(\[y\/N\]|to delete it:) /.test(text)) return;
    isAsked = true;
    child.stdin.write(await onQuestion());
  });
  const [code] = await once(child, 'close');
  return { code, text: text.replaceAll('\r\n', '\n') };
}
