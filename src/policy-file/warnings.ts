/** What a policy may say, but probably does not mean. Called by parse.ts, on a valid policy. */
import type { Finding } from './document.ts';
import type { Path } from './problem.ts';
import type { PolicyFile } from './schema.ts';
import { suggest } from './suggest.ts';

/** Comparisons of names; past them no more groups are looked at. */
const maxComparisons = 1_000_000;

export function findWarnings(file: PolicyFile): Finding[] {
  return [...findPrefixedGroups(file), ...findLikelyGroupTypos(file)].slice(0, 1_000);
}

function findPrefixedGroups({ groups }: PolicyFile): Finding[] {
  return Object.keys(groups ?? {})
    .filter((id) => id.startsWith('group:'))
    .map((id) => {
      const message = `the key of a group is its id without the type; this one is group:${id}`;
      return { path: ['groups', id], part: 'key', message, suggestion: id.slice('group:'.length) };
    });
}

/** A group that nothing defines is legal: callers may assert it. One that resembles a defined group is suspicious. */
function findLikelyGroupTypos({ groups, bindings, hooks }: PolicyFile): Finding[] {
  const known = new Set(Object.keys(groups ?? {}).map((id) => `group:${id}`));
  const answers = new Map<string, string | undefined>();
  const findings: Finding[] = [];
  const check = (name: string, path: Path) => {
    if (!name.startsWith('group:') || name === 'group:*' || known.has(name)) return;
    if (!answers.has(name)) {
      if ((answers.size + 1) * known.size > maxComparisons) return;
      answers.set(name, suggest(name, known));
    }
    const suggestion = answers.get(name);
    if (suggestion === undefined) return;
    findings.push({ path, part: 'value', message: `group ${JSON.stringify(name)} is not in groups`, suggestion });
  };
  bindings?.forEach(({ subject }, i) => {
    check(subject, ['bindings', i, 'subject']);
  });
  for (const [type, grants] of Object.entries(hooks ?? {})) {
    grants.forEach((grant, i) => {
      if ('role' in grant) check(grant.subject, ['hooks', type, i, 'subject']);
      else {
        check(grant.group, ['hooks', type, i, 'group']);
        check(grant.member, ['hooks', type, i, 'member']);
      }
    });
  }
  return findings;
}
