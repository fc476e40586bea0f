/** An authenticator over a file in a directory of its own, for tests. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AuthEvent,
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from '../../src/authn/authenticator.ts';
import type { Credentials } from '../../src/authn/identity.ts';

export interface Opened {
  readonly authenticator: Authenticator;
  readonly directory: string;
  readonly path: string;
  readonly events: AuthEvent[];
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

export const nowMs = Date.UTC(2026, 5, 1, 12);

/** @param files Further files, written before the first reading. */
export async function openAuth(
  text: string,
  options: Partial<AuthenticatorOptions> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Opened> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-authn-'));
  const path = join(directory, 'auth.yaml');
  const events: AuthEvent[] = [];
  await writeFile(path, text, { mode: 0o600 });
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  const defaults = { now: () => nowMs, watch: { debounceMs: 5 }, keyCooldownMs: 0 };
  const onEvent = (event: AuthEvent) => void events.push(event);
  try {
    const authenticator = await createAuthenticator({ file: path, onEvent, ...defaults, ...options });
    return {
      authenticator,
      directory,
      path,
      events,
      write: (next) => writeFile(path, next),
      async close() {
        await authenticator.close();
        await rm(directory, { recursive: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

export function bearer(token: string): Credentials {
  return { authorization: `Bearer ${token}`, certificate: undefined };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
