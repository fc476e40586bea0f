// The policy that sidecars of the crash tests serve, as a file and in a Redis.
import { parsePolicy } from '../../src/policy-file/parse.ts';
import { createRedisStore } from '../../src/store/redis/redis-store.ts';
import { parseRedisUrl } from '../../src/store/redis/target.ts';

export const policy = `version: 1
roles: { viewer: { permissions: ['doc:read'] } }
bindings: [{ subject: 'user:alice', role: viewer, scope: '*' }]
`;

export async function loadInto(url: string, tenants: readonly string[] = ['default']): Promise<void> {
  const parsed = parsePolicy(policy, 'policy.yaml');
  if (!parsed.ok) throw new Error('the policy of these tests is not valid');
  const store = createRedisStore(parseRedisUrl(url));
  const changes = parsed.records.map((record) => ({ op: 'put' as const, record }));
  for (const tenant of tenants) await store.commit(tenant, changes);
  await store.close();
}
