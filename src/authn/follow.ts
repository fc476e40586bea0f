/**
 * Keeps what is in force in step with its files: the one that says who may administer, and the key sets beside it.
 * Called by the authenticator. A state of them that is not valid changes nothing: the last good one stays in force.
 */
import { PosternError } from '../model/errors.ts';
import { formatProblems } from '../policy-file/format-problems.ts';
import { type FileWatch, type WatchOptions, watchPolicyFile } from '../policy-file/watch.ts';
import { type LoadedAuth, loadAuth, openToOthers } from './load.ts';

/** What the operator should know. No event holds a secret. */
export type FollowEvent =
  /** Every state that came in force, the first one too. */
  | { readonly kind: 'loaded'; readonly tokens: number; readonly issuers: number; readonly certificates: number }
  /** A state that did not: for a person, with places, several lines. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Others than owner and group may read the file, or worse, write it. */
  | { readonly kind: 'exposed'; readonly message: string };

export interface FollowOptions {
  readonly path: string;
  readonly onLoaded: (loaded: LoadedAuth) => void;
  readonly onEvent: (event: FollowEvent) => void;
  readonly watch?: WatchOptions | undefined;
}

export interface Followed {
  /** Idempotent. */
  close(): Promise<void>;
}

/** @throws PosternError INVALID_OPTION where the first state is not valid */
export async function followAuth({ path, onLoaded, onEvent, watch }: FollowOptions): Promise<Followed> {
  const watches = new Map<string, FileWatch>();
  let lastTold = '';
  let exposed = 0;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;

  async function reload(refuse: (message: string) => void): Promise<void> {
    const open = await openToOthers(path);
    if (open !== exposed && open !== 0) onEvent({ kind: 'exposed', message: describeExposure(path, open) });
    exposed = open;
    const { result, keyPaths } = await loadAuth(path);
    // Those of a state that is refused, too: it may be mended by mending them.
    if (keyPaths !== undefined) await watchAlso(keyPaths);
    const told = result.ok ? result.fingerprint : formatProblems(result);
    if (told === lastTold) return;
    lastTold = told;
    if (!result.ok) return refuse(told);
    onLoaded(result);
    const { tokens, issuers, certificates } = result.file;
    onEvent({ kind: 'loaded', tokens: tokens.size, issuers: issuers.size, certificates: certificates.length });
  }

  /** Follows these and the file itself. A set that is new to it is read once more, for what changed in between. */
  async function watchAlso(keyPaths: ReadonlySet<string>): Promise<void> {
    for (const [watched, its] of [...watches]) {
      if (watched === path || keyPaths.has(watched)) continue;
      watches.delete(watched);
      await its.close();
    }
    for (const wanted of [path, ...keyPaths]) {
      if (closed || watches.has(wanted)) continue;
      const its = watchPolicyFile(wanted, onChange, watch);
      watches.set(wanted, its);
      await its.ready;
      again = true;
    }
  }

  async function reloadUntilQuiet(refuse: (message: string) => void): Promise<void> {
    do {
      again = false;
      await reload(refuse);
    } while (again && !closed);
  }

  function onChange(): void {
    again = true;
    if (closed || running !== undefined) return;
    running = reloadUntilQuiet((message) => onEvent({ kind: 'refused', message })).finally(() => {
      running = undefined;
    });
  }

  const close = async () => {
    closed = true;
    await Promise.all([...watches.values()].map((its) => its.close()));
    await running;
  };
  running = (async () => {
    // Watching begins before the first reading, so that no edit falls between the two.
    await watchAlso(new Set());
    await reloadUntilQuiet((message) => {
      throw new PosternError('INVALID_OPTION', `--admin-auth is not valid:\n${message}`, { option: 'admin-auth' });
    });
  })();
  try {
    await running;
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  running = undefined;
  return { close };
}

function describeExposure(path: string, open: number): string {
  const may = (open & 2) === 0 ? 'read' : 'write';
  return `${path}: every user of this machine may ${may} it; take that away with chmod o-rw`;
}
