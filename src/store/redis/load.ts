/**
 * Reads a whole graph while others commit, without stopping Redis: the head,
 * then every record hash in small scans, then the change sets since that head.
 * A scan sees each record as it was at some revision in between; replaying all
 * of them over it gives the graph at the last one exactly.
 */
import { type ChangeSet, isSameRevision, type Revision } from '../../model/change.ts';
import { entityKinds } from '../../model/entity.ts';
import { PosternError } from '../../model/errors.ts';
import { quote } from '../../model/names.ts';
import { corrupt } from '../../model/parse-fields.ts';
import { emptyRevision } from '../store.ts';
import type { RedisClient } from './connection.ts';
import { readChangesSince, readHead } from './history.ts';
import type { TenantKeys } from './keys.ts';

/** Takes what a load reads. */
export interface Loading {
  /** Reads every record hash once, in whatever order. */
  scan(): Promise<void>;
  /** What was committed meanwhile, in order. */
  replay(changeSets: readonly ChangeSet[]): void | Promise<void>;
  /** Forgets everything: it begins again. Undefined where that is for the caller to do. */
  readonly restart: (() => void) | undefined;
}

const replayLimit = 100;
const maxTries = 4;

/** What Store.load promises. @throws what the client throws; PosternError STORE_CORRUPT, STORE_UNAVAILABLE */
export async function load(client: RedisClient, keys: TenantKeys, loading: Loading): Promise<Revision> {
  for (let tries = 1; ; tries++) {
    const revision = await overOneConnection(client, () => tryToLoad(client, keys, loading));
    if (revision !== undefined) return revision;
    if (loading.restart === undefined || tries === maxTries) {
      throw new PosternError(
        'STORE_UNAVAILABLE',
        `the history of tenant ${keys.tenant}, or the connection, was cut off while it was being loaded; load again, and keep more history if this goes on`,
      );
    }
    loading.restart();
  }
}

/**
 * Undefined where the connection was another one in between. A server that came back, or took over, without the last
 * commits may be at the revision where the load began, while records of what it lost were read before.
 */
async function overOneConnection<T>(client: RedisClient, work: () => Promise<T>): Promise<T | undefined> {
  let wasLost = false;
  const note = () => {
    wasLost = true;
  };
  // The latter is of a Cluster, which lives on where one of its nodes is lost.
  for (const event of ['close', '-node']) client.on(event, note);
  try {
    const result = await work();
    return wasLost ? undefined : result;
  } finally {
    for (const event of ['close', '-node']) client.off(event, note);
  }
}

/** Undefined where the change sets since the first head are gone. */
async function tryToLoad(client: RedisClient, keys: TenantKeys, loading: Loading): Promise<Revision | undefined> {
  const before = await readHead(client, keys);
  if (before === undefined) {
    await refuseOrphans(client, keys);
    return emptyRevision;
  }
  await loading.scan();
  await refuseMissing(client, keys);
  const after = await readHead(client, keys);
  if (after?.epoch !== before.epoch || after.number < before.number) return undefined;
  if (after.number === before.number && !isSameRevision(before, after)) return undefined;
  let at = before;
  while (at.number < after.number) {
    const changeSets = await readChangesSince(client, keys, at, replayLimit);
    const last = changeSets?.at(-1);
    if (changeSets === undefined || last === undefined) return undefined;
    await loading.replay(changeSets);
    at = last.revision;
  }
  return at;
}

/** Records without a head are no empty graph: serving one would deny everybody everything. @throws PosternError STORE_CORRUPT */
export async function refuseOrphans(client: RedisClient, keys: TenantKeys): Promise<void> {
  const orphans = await client.exists(...keys.recordList);
  if (orphans === 0 || (await readHead(client, keys)) !== undefined) return;
  throw corrupt(`key ${keys.head}`, '', 'is missing, while records of the tenant are there');
}

/** A hash that Redis evicted, or that somebody deleted, is no empty hash: serving it would deny what was granted. */
async function refuseMissing(client: RedisClient, keys: TenantKeys): Promise<void> {
  const readKinds = () => client.hmget(keys.head, 'epoch', 'revision', 'kinds');
  const before = await readKinds();
  const unknown = before[2]?.split(' ').find((word) => word !== '' && !isKind(word));
  if (unknown !== undefined) {
    throw corrupt(
      `key ${keys.head}`,
      'kinds',
      `names ${quote(unknown)}, which is not known here; it was perhaps written by a later version`,
    );
  }
  const promised = entityKinds.filter((kind) => before[2]?.split(' ').includes(kind));
  const found = await Promise.all(promised.map((kind) => client.exists(keys.records[kind])));
  const missing = promised.find((_, i) => found[i] === 0);
  // A commit in between may have deleted the last record of a kind.
  if (missing === undefined || String(await readKinds()) !== String(before)) return;
  const where = `key ${keys.records[missing]}`;
  throw new PosternError(
    'STORE_CORRUPT',
    `${where} is missing, while the head says that it has records: it was deleted, or evicted (set maxmemory-policy noeviction); restore it, or delete all keys of the tenant and apply its policy again`,
    { where, field: '' },
  );
}

function isKind(word: string): boolean {
  return entityKinds.some((kind) => kind === word);
}
