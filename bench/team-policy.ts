/** A policy file of ordinary size for the wire benchmarks: 200 users, 20 nested groups, 1,000 documents in folders. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes the policy (as JSON, which is YAML) and returns its path. */
export async function teamPolicy(directory: string): Promise<string> {
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const policy = {
    version: 1,
    roles: {
      viewer: { permissions: ['doc:read', 'folder:list'] },
      editor: { includes: ['viewer'], permissions: ['doc:write', 'doc:comment'] },
      owner: { includes: ['editor'], permissions: ['doc:delete', 'doc:share'] },
    },
    groups: Object.fromEntries(
      numbers(20).map((g) => [
        `team${g}`,
        [
          ...numbers(200)
            .filter((u) => u % 20 === g)
            .map((u) => `user:u${u}`),
          ...(g < 10 ? [`group:team${g + 10}`] : []),
        ],
      ]),
    ),
    objects: Object.fromEntries([
      ...numbers(50).map((f) => [`folder:f${f}`, f < 10 ? {} : `folder:f${f % 10}`]),
      ...numbers(1_000).map((d) => [`doc:d${d}`, `folder:f${d % 50}`]),
    ]),
    bindings: [
      ...numbers(50).map((f) => ({ subject: `group:team${f % 20}`, role: 'editor', scope: `folder:f${f}` })),
      ...numbers(500).map((d) => ({ subject: `user:u${d % 200}`, role: 'owner', scope: `doc:d${d * 2}` })),
      ...numbers(20).map((d) => ({
        subject: `user:u${d * 7}`,
        role: 'viewer',
        scope: `doc:d${d * 13}`,
        effect: 'deny',
      })),
      { subject: 'user:*', role: 'viewer', scope: 'folder:f0' },
    ],
  };
  const path = join(directory, 'team.yaml');
  await writeFile(path, JSON.stringify(policy));
  return path;
}
