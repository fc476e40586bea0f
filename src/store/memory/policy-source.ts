/**
 * Keeps a tenant of a store in step with a policy file: the file's side of the embedded default. Called by the parts
 * list. A file that is not a valid policy changes nothing: the last good policy stays in force, and whoever runs this
 * is told. It must never clear before it has the next policy whole.
 */
import { createHash } from 'node:crypto';
import { diff } from '../../graph/diff.ts';
import type { Revision } from '../../model/change.ts';
import { type EntityRecord, entityKey } from '../../model/entity.ts';
import { messageOf, PosternError } from '../../model/errors.ts';
import { formatProblems } from '../../policy-file/format-problems.ts';
import { readPolicyText } from '../../policy-file/load.ts';
import { parsePolicyAside } from '../../policy-file/parse-aside.ts';
import type { PolicyProblem } from '../../policy-file/problem.ts';
import { type WatchOptions, watchPolicyFile } from '../../policy-file/watch.ts';
import type { Store } from '../store.ts';

/** A policy that was committed. */
export interface AppliedPolicy {
  readonly revision: Revision;
  /** Records of the policy. */
  readonly records: number;
  /** Puts and deletes that it took. */
  readonly changes: number;
  readonly warnings: readonly PolicyProblem[];
}

/** An edit that was not taken; the policy before it stays in force. */
export interface RefusedPolicy {
  /** For a person, with places; several lines. */
  readonly message: string;
  /** Empty where the file is well and the store failed. */
  readonly problems: readonly PolicyProblem[];
}

export interface PolicySourceOptions {
  readonly path: string;
  readonly store: Store;
  readonly tenant: string;
  /** Called after every commit, the first one included. */
  readonly onApplied: (applied: AppliedPolicy) => void;
  /** Called for every state of the file that is refused after the first load. */
  readonly onProblem: (refused: RefusedPolicy) => void;
  readonly watch?: WatchOptions;
}

export interface PolicySource {
  /** Ends following, after a commit that is under way; idempotent. The store keeps the policy. */
  close(): Promise<void>;
}

/** Commits that other writers may overtake before it is given up until the next edit. */
const maxAttempts = 5;

/**
 * Loads the file, commits what it changes, and follows it until closed.
 * @throws PosternError INVALID_POLICY where the first load is refused (message as in RefusedPolicy), or what the store throws
 */
export async function followPolicyFile(options: PolicySourceOptions): Promise<PolicySource> {
  const { path, store, tenant, onApplied, onProblem } = options;
  const commit = createCommitter(store, tenant);
  /** What the last reading gave: editors and clocks announce changes that are none. */
  let lastRead = '';
  /** Whether the policy in force grants anything. */
  let granted = false;
  let running: Promise<void> | undefined;
  let again = false;
  let closed = false;

  async function reload(refuse: (refused: RefusedPolicy) => void): Promise<void> {
    const read = await readPolicyText(path);
    const fingerprint = read.ok ? createHash('sha256').update(read.text).digest('hex') : formatProblems(read);
    if (fingerprint === lastRead) return;
    lastRead = fingerprint;
    const result = read.ok ? await parsePolicyAside(read.text, path) : read;
    if (!result.ok) return refuse({ message: formatProblems(result), problems: result.problems });
    const grants = result.records.some((record) => record.kind === 'binding');
    if (granted && !grants) return refuse({ message: withoutBindings(path), problems: [] });
    const committed = await commit(result.records);
    granted = grants;
    if (committed !== undefined) onApplied({ ...committed, records: result.records.length, warnings: result.warnings });
  }

  async function reloadUntilQuiet(): Promise<void> {
    do {
      again = false;
      try {
        await reload(onProblem);
      } catch (error) {
        // The same text is worth another attempt at the next event.
        lastRead = '';
        onProblem({
          message: `${path}: the policy is valid, but was not committed: ${messageOf(error)}`,
          problems: [],
        });
      }
    } while (again && !closed);
    running = undefined;
  }

  const onChange = () => {
    if (closed) return;
    if (running === undefined) running = reloadUntilQuiet();
    else again = true;
  };
  // Watching begins before the first reading, so that no edit falls between the two.
  let first: Promise<void> | undefined;
  const watch = watchPolicyFile(path, () => void first?.then(onChange, () => {}), options.watch);
  try {
    await watch.ready;
    first = reload((refused) => {
      throw new PosternError('INVALID_POLICY', refused.message, {
        file: path,
        problems: String(refused.problems.length),
      });
    });
    await first;
  } catch (error) {
    await watch.close();
    throw error;
  }

  const close = async () => {
    closed = true;
    await watch.close();
    await running;
  };
  return { close };
}

/** A file that was cut short by whoever wrote it may be a policy still, one that denies everybody everything. */
function withoutBindings(path: string): string {
  return `${path}: has no bindings any more, so everything would be denied; where that is meant, start the sidecar again`;
}

type Commit = (records: readonly EntityRecord[]) => Promise<{ revision: Revision; changes: number } | undefined>;

/** Commits the difference to what the store holds; undefined where there is none. */
function createCommitter(store: Store, tenant: string): Commit {
  let held: { readonly records: readonly EntityRecord[]; readonly revision: Revision } | undefined;

  async function commitOnce(records: readonly EntityRecord[]) {
    held ??= await readStore(store, tenant);
    const changes = diff(held.records, records);
    // An empty policy is still a policy: the first commit makes the tenant known.
    if (changes.length === 0 && held.revision.number > 0) return undefined;
    const revision = await store.commit(tenant, changes, {
      expected: held.revision,
      by: 'policy file',
      why: 'file changed',
    });
    held = { records, revision };
    return { revision, changes: changes.length };
  }

  return async (records) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await commitOnce(records);
      } catch (error) {
        // Whatever failed, what the store holds now is not known any more.
        held = undefined;
        const overtaken = error instanceof PosternError && error.code === 'REVISION_CONFLICT';
        if (!overtaken || attempt === maxAttempts) throw error;
      }
    }
  };
}

async function readStore(store: Store, tenant: string) {
  const records = new Map<string, EntityRecord>();
  const revision = await store.load(tenant, (changes) => {
    for (const change of changes) {
      const kind = change.op === 'put' ? change.record.kind : change.kind;
      const key = change.op === 'put' ? entityKey(change.record) : change.key;
      if (change.op === 'put') records.set(`${kind} ${key}`, change.record);
      else records.delete(`${kind} ${key}`);
    }
  });
  return { records: [...records.values()], revision };
}
