/** What a policy may say, but probably does not mean. Called by parse.ts, on a valid policy. */
import type { Finding } from './document.ts';
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
function findLikelyGroupTypos({ groups, bindings }: PolicyFile): Finding[] {
  const known = new Set(Object.keys(groups ?? {}).map((id) => `group:${id}`));
  const answers = new Map<string, string | undefined>();
  const findings: Finding[] = [];
  bindings?.forEach(({ subject }, i) => {
    if (!subject.startsWith('group:') || subject === 'group:*' || known.has(subject)) return;
    if (!answers.has(subject)) {
      if ((answers.size + 1) * known.size > maxComparisons) return;
      answers.set(subject, suggest(subject, known));
    }
    const suggestion = answers.get(subject);
    if (suggestion === undefined) return;
    const message = `group ${JSON.stringify(subject)} is not in groups`;
    findings.push({ path: ['bindings', i, 'subject'], part: 'value', message, suggestion });
  });
  return findings;
}
