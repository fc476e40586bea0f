/**
 * Commits one change set through commit.lua. What fits one part goes along with
 * the call; what does not is laid into a list first, part by part, and applied
 * from there in the same one atomic step.
 */
import { randomBytes } from 'node:crypto';
import type { Change, Revision } from '../../model/change.ts';
import { entityKinds } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { maxChangesPerCommit } from '../../model/limits.ts';
import { corrupt } from '../../model/parse-fields.ts';
import { type CommitOptions, checkExpected, conflict } from '../store.ts';
import type { Commands } from './commands.ts';
import type { RedisClient } from './connection.ts';
import { type About, messageTail, type Part, partsOf } from './encode.ts';
import { readHead } from './history.ts';
import { stagingKey, type TenantKeys } from './keys.ts';

/** How much history a tenant's change stream keeps, both about. */
export interface HistoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What a commit can be besides what Store.commit offers. */
export interface CommitRequest extends CommitOptions {
  /** Takes the tenant off the list of tenants, in the same step. */
  readonly deletesTenant?: boolean;
}

/** A larger change set is announced by its revision alone. */
const maxMessageBytes = 256 * 1024;
/** A staged commit whose writer died is gone after this. */
const stagingMs = 10 * 60_000;

/** What Store.commit promises. @throws what the client throws; PosternError REVISION_CONFLICT, LIMIT_EXCEEDED, STORE_CORRUPT, INTERNAL */
export async function commit(
  client: RedisClient,
  commands: Commands,
  keys: TenantKeys,
  changes: readonly Change[],
  options: CommitRequest,
  limits: HistoryLimits,
  at: number,
): Promise<Revision> {
  if (changes.length > maxChangesPerCommit) {
    throw new PosternError('LIMIT_EXCEEDED', `${changes.length} changes are more than ${maxChangesPerCommit}`);
  }
  const { expected, by = '', via = '', why = '', deletesTenant = false, onProgress } = options;
  const about: About = { at, by, via, why };
  const staging = stagingKey(keys, randomBytes(8).toString('hex'));
  const nonce = randomBytes(4).toString('hex');
  const run = async (counts: readonly number[], staged: boolean, message: string, words: readonly string[]) =>
    toRevision(
      await commands.commit(
        [keys.head, keys.changes, staging, ...keys.recordList],
        [
          entityKinds.join(' '),
          keys.channel,
          randomBytes(8).toString('hex'),
          nonce,
          expected?.epoch ?? '',
          expected?.number ?? '',
          expected?.nonce ?? '',
          at,
          by,
          via,
          why,
          staged ? '1' : '0',
          counts.join(' '),
          limits.maxEntries,
          limits.maxBytes,
          deletesTenant ? '1' : '0',
          message,
          ...words,
        ],
      ),
      keys,
      nonce,
      expected,
    );

  const parts = partsOf(changes);
  const first = parts.next().value ?? undefined;
  if (first === undefined || first.count === changes.length) {
    const tail = messageTail(about, first?.toJson() ?? '[]');
    const message = Buffer.byteLength(tail) > maxMessageBytes ? '' : tail;
    const revision = await run([changes.length], false, message, first?.words ?? []);
    onProgress?.(changes.length, changes.length);
    return revision;
  }

  // Tells a conflict before the work of staging; the script is the one that decides.
  if (expected !== undefined) checkExpected(keys.tenant, expected, await readHead(client, keys));
  try {
    const counts: number[] = [];
    let done = 0;
    for (let part: Part | undefined = first; part !== undefined; part = parts.next().value ?? undefined) {
      await stage(client, staging, part);
      counts.push(part.count);
      done += part.count;
      onProgress?.(done, changes.length);
    }
    return await run(counts, true, '', []);
  } catch (error) {
    await client.unlink(staging).catch(() => {}); // The expiry takes it where this cannot.
    throw error;
  }
}

async function stage(client: RedisClient, staging: string, part: Part): Promise<void> {
  await Promise.all([client.rpush(staging, ...part.words), client.pexpire(staging, stagingMs)]);
}

/** Takes what commit.lua returns. */
function toRevision(reply: unknown, keys: TenantKeys, nonce: string, expected: Revision | undefined): Revision {
  const [outcome, first = '', second = '', third = ''] = (reply as readonly unknown[]).map(String);
  switch (outcome) {
    case 'ok':
      return { epoch: first, number: Number(second), nonce };
    case 'conflict': {
      const head = { epoch: first, number: Number(second), ...(third === '' ? {} : { nonce: third }) };
      throw conflict(keys.tenant, expected as Revision, head.number === 0 ? undefined : head);
    }
    case 'wrongtype':
      throw corrupt(`key ${first}`, '', `is a ${second}, not a ${third}; nothing was written`);
    case 'corrupt':
      throw corrupt(`key ${first}`, '', `${second}; nothing was written`);
    default:
      throw new PosternError(
        'STORE_UNAVAILABLE',
        `the staged changes of tenant ${keys.tenant} were gone before they were committed; nothing was written: commit again`,
      );
  }
}
