/** The name that was probably meant. Owns the edit-distance library; handed to validation as a function. */
import { distance } from 'fastest-levenshtein';

/**
 * The candidate nearest to a name, or undefined where none is near: up to a third of the letters may differ,
 * and two neighbours may be swapped. Case is ignored. Of equally near candidates the first is returned.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most) continue;
    const other = candidate.toLowerCase();
    const edits = isSwap(wanted, other) ? 1 : distance(wanted, other);
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

/** Whether two texts differ by two neighbouring letters that changed places: "raed" and "read". */
function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i < a.length - 1 && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}
