/** What a run means that nothing ties to what stood before it. Pure; called when no line can come any more that would. */
import { type Findings, namesOf } from './findings.ts';
import type { Run } from './run.ts';

/** @param isLast Whether the log ends with it. */
export function tellLoose(findings: Findings, run: Run, isLast: boolean): void {
  const { first, told, numberBehind } = run;
  const add = (kind: Parameters<Findings['of']>[1], found: string, seq = first.seq, id = first.id) =>
    findings.add(first.ordinal, findings.of({ seq, id, where: first.where }, kind, found));
  if (run.count === 1 && !isLast) {
    const used = first.before >= 0 && first.before < numberBehind;
    add(used ? 'duplicated' : 'altered', 'is not part of the chain, which goes on without it');
  } else if (told >= 0 && told !== first.after && first.after >= 0) {
    add('altered', `has another number than the line after it says: its own would be ${told}`);
  } else if (first.before > numberBehind) {
    const names = namesOf(numberBehind + 1, first.before);
    add(
      'missing',
      `${names}, missing before the line that stands here, and no gap record says so`,
      numberBehind + 1,
      '',
    );
  } else if (first.before >= 0 && first.before < numberBehind) {
    const last = run.number > first.after ? ` to ${run.number}` : '';
    add('duplicated', `is a second line with that number${last}, and not what stood here before`);
  } else {
    const parts = 'this line, or the one before it, was changed, or a line without a number is missing between the two';
    add('altered', `does not follow from the line before it: ${parts}`);
  }
}
