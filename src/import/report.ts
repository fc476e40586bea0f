/**
 * A comparison as text for people and as JSON for machines: subject by subject
 * what would be widened, narrowed or left over. Pure; called by `postern import`.
 * The text shortens long lists and says so; the JSON never does.
 */
import { type Comparison, type Difference, isSame } from './compare.ts';

// A line of a report is read by a person; who wants all of a long list takes the JSON.
const mostObjectsShown = 8;

/** The report, without a newline at its end; the last line is the summary. */
export function formatReport(comparison: Comparison): string {
  const lines: string[] = [];
  for (const { subject, widened, narrowed, leftovers } of comparison.differences) {
    lines.push(subject === '' ? '(nobody in particular)' : visible(subject));
    for (const difference of widened) lines.push(`  widened    ${describe(difference)}`);
    for (const difference of narrowed) lines.push(`  narrowed   ${describe(difference)}`);
    for (const { what, why } of leftovers) lines.push(`  left over  ${visible(`${what}: ${why}`)}`);
  }
  lines.push(summarise(comparison));
  return lines.join('\n');
}

/** One object for machines; `same` says whether anything is named at all. */
export function toReportJson(comparison: Comparison) {
  const { differences, subjects, questions, widened, narrowed, leftovers } = comparison;
  return {
    same: isSame(comparison),
    subjects,
    questions,
    widened,
    narrowed,
    leftovers,
    differences: differences.map((of) => ({
      subject: of.subject,
      widened: of.widened,
      narrowed: of.narrowed,
      leftovers: of.leftovers.map(({ what, why }) => ({ what, why })),
    })),
  };
}

function summarise(comparison: Comparison): string {
  const { subjects, questions, widened, narrowed, leftovers } = comparison;
  const asked = `${count(subjects, 'subject')}, ${count(questions, 'question')} each`;
  if (isSame(comparison)) return `${asked}: every answer is the same, nothing is left over`;
  return `${asked}: ${widened} widened, ${narrowed} narrowed, ${leftovers} left over`;
}

function describe({ action, objects }: Difference): string {
  const shown = objects.slice(0, mostObjectsShown).map((object) => (object === '' ? 'the whole tenant' : object));
  const more = objects.length - shown.length;
  return visible(`${action} on ${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Names from elsewhere must not be able to move the cursor. */
function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}
