/**
 * The list of tenants. Names are put on it before a tenant's first commit, and stay: whether a tenant counts is what
 * its head says, so that one atomic step deletes a tenant, and any commit after that brings it back, also by a process
 * that knows nothing of the deletion. Called by the store and by delete-tenant.ts.
 */
import { Cluster } from 'ioredis';
import { problemOfTenant, quote } from '../../model/names.ts';
import { corrupt } from '../../model/parse-fields.ts';
import type { RedisClient } from './connection.ts';
import { type TenantKeys, tenantKeys, tenantsKey } from './keys.ts';

/** Heads asked for in one go: some 5 milliseconds of this thread, which answers questions meanwhile. */
const headsPerRound = 500;

/** Tenants with a history that are not deleted, sorted. @throws what the client throws; PosternError STORE_CORRUPT */
export async function listTenants(client: RedisClient): Promise<readonly string[]> {
  const written = await client.smembers(tenantsKey);
  const listed: string[] = [];
  for (let from = 0; from < written.length; from += headsPerRound) {
    const names = written.slice(from, from + headsPerRound);
    const states = await readStates(client, names.map(keysOf));
    names.forEach((name, i) => {
      if (states[i] === 'listed') listed.push(name);
    });
  }
  return listed.sort();
}

/** Whether one tenant is on the list. @throws what the client throws */
export async function isListed(client: RedisClient, keys: TenantKeys): Promise<boolean> {
  return stateOf(await client.hmget(keys.head, ...stateFields)) === 'listed';
}

type State = 'listed' | 'unlisted';

const stateFields = ['epoch', 'revision', 'deleted'] as const;

function stateOf([epoch, revision, deleted]: readonly (string | null | undefined)[]): State {
  const exists = (epoch ?? revision ?? null) !== null;
  const isDeleted = (deleted ?? null) !== null && deleted === revision;
  return exists && !isDeleted ? 'listed' : 'unlisted';
}

async function readStates(client: RedisClient, tenants: readonly TenantKeys[]): Promise<State[]> {
  // The tenants of a Cluster are on all of its nodes: each command finds its own way, and none waits for another.
  if (client instanceof Cluster)
    return Promise.all(tenants.map((keys) => client.hmget(keys.head, ...stateFields).then(stateOf, stateOfError)));
  const pipeline = client.pipeline();
  for (const keys of tenants) pipeline.hmget(keys.head, ...stateFields);
  const replies = await pipeline.exec();
  if (replies?.length !== tenants.length) throw new Error('not every head was answered for');
  return replies.map(([error, reply]) => (error === null ? stateOf(reply as (string | null)[]) : stateOfError(error)));
}

/** A head that is no hash is a tenant that whoever serves it has to hear of; the others are none the worse for it. */
function stateOfError(error: Error): State {
  if (error.message.includes('WRONGTYPE')) return 'listed';
  throw error;
}

function keysOf(name: string): TenantKeys {
  const problem = problemOfTenant(name);
  if (problem !== undefined) throw corrupt(`key ${tenantsKey} member ${quote(name)}`, '', problem);
  return tenantKeys(name);
}
