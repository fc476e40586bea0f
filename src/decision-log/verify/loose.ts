/** What it means that lines do not follow from each other, or that their numbers do not. Called by the verifier of chains. */
import { type Findings, missingUpTo } from './findings.ts';
import { type Line, whereOf } from './line.ts';
import { isPassedBy, type Run } from './run.ts';

/** A run that nothing ties to what stood before it, when no line can come any more that would. */
export function tellLoose(findings: Findings, run: Run): void {
  const { first, told, numberBehind } = run;
  const add = (kind: Parameters<Findings['of']>[1], found: string, seq = first.seq, id = first.id) =>
    findings.add(first.ordinal, findings.of({ seq, id, where: first.where }, kind, found));
  if (run.isFirst) add('altered', 'does not follow from the line before it');
  else if (run.count === 1 && isPassedBy(run)) {
    const used = first.before >= 0 && first.before < numberBehind;
    add(used ? 'duplicated' : 'altered', 'is not part of the chain, which goes on without it');
  } else if (told >= 0 && told !== first.after && first.after >= 0) {
    add('altered', `has another number than the line after it says: its own would be ${told}`);
  } else if (first.before > numberBehind) {
    const missing = missingUpTo(numberBehind + 1, first.before);
    add('missing', `${missing} before the line that stands here, and no gap record says so`, numberBehind + 1, '');
  } else if (first.before >= 0 && first.before < numberBehind) {
    const last = run.number > first.after ? ` to ${run.number}` : '';
    add('duplicated', `is a second line with that number${last}, and not what stood here before`);
  } else {
    const parts = 'this line, or the one before it, was changed, or a line without a number is missing between the two';
    add('altered', `does not follow from the line before it: ${parts}`);
  }
}

/** A line that follows from the one before it, but for its number: the writer itself has made it so. */
export function tellNumber(findings: Findings, number: number, line: Line): void {
  const { before, ordinal } = line;
  if (before < number) {
    findings.tell(line, 'duplicated', `has a number that is past: the chain stands at ${number}`);
    return;
  }
  const found = `${missingUpTo(number + 1, before)} before the line that stands here, which follows from the one before it: the writer skipped that`;
  findings.add(ordinal, findings.of({ seq: number + 1, id: '', where: whereOf(line) }, 'missing', found));
}
