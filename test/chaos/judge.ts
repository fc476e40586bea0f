// Holds what one follower says against the reference at the revision that it names, as soon as the ledger knows that
// revision. Called by every kind of follower.
import { formatRevision, type Revision } from '../../src/model/change.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import type { Ledger } from './ledger.ts';

/** What is to be said at these records, as outcomeOf puts it. @throws PosternError where an error is to be the answer */
type Expected = (records: readonly EntityRecord[]) => unknown;

export interface Answer {
  readonly revision: Revision;
  /** In words; two questions with the same words are one. */
  readonly question: string;
  readonly said: string;
  readonly expected: Expected;
}

/** An error in place of an answer: it names no revision. */
export interface Failure {
  readonly question: string;
  readonly code: string;
  readonly expected: Expected;
}

/** A result as a text, or the code of the error in its place. */
export function outcomeOf(decide: () => unknown): string {
  try {
    return JSON.stringify(decide());
  } catch (error) {
    if (error instanceof PosternError) return error.code;
    throw error;
  }
}

const outcome = (expected: Expected, records: readonly EntityRecord[]): string => outcomeOf(() => expected(records));

/** What is kept of what the reference said: a long run has thousands of revisions. */
const mostExpected = 20_000;

export class Judge {
  /** What is wrong; has to stay empty. */
  readonly wrongs: string[] = [];
  /** How many answers there were. */
  answers = 0;
  /** Tokens of the revisions at which there was an answer. */
  readonly revisions = new Set<string>();
  readonly #ledger: Ledger;
  readonly #expected = new Map<string, string>();
  /** Of revisions that the ledger does not know yet: the outcome of a commit may be told late. */
  #unjudged: Answer[] = [];
  readonly #failures = new Map<string, Failure>();
  readonly #possible = new Set<string>();
  readonly #reached: { readonly asked: Revision; readonly at: Revision; readonly loadedAt: number }[] = [];
  readonly #refused: { readonly asked: Revision; readonly code: string }[] = [];

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  answered(answer: Answer): void {
    this.answers++;
    this.revisions.add(formatRevision(answer.revision));
    if (this.#ledger.knows(answer.revision)) this.#hold(answer);
    else this.#unjudged.push(answer);
  }

  failed(failure: Failure): void {
    const key = `${failure.question}: ${failure.code}`;
    if (!this.#possible.has(key)) this.#failures.set(key, failure);
  }

  /**
   * Whoever asks for a revision gets an answer that holds it.
   * @param loadedAt The number at which the whole graph was loaded last: what nonces the numbers before have, nobody
   * knows then, as src/replica/lineage.ts says.
   */
  reached(asked: Revision, at: Revision, loadedAt: number): void {
    this.#reached.push({ asked, at, loadedAt });
  }

  /** Or is told that there is no such revision. */
  refused(asked: Revision, code: string): void {
    this.#refused.push({ asked, code });
  }

  /** Judges what could not be judged before; whatever the ledger still does not know was never committed. */
  conclude(): void {
    const byRevision = Map.groupBy(this.#unjudged.splice(0), ({ revision }) => formatRevision(revision));
    for (const [token, answers] of byRevision) {
      const { revision } = answers[0] as Answer;
      const agrees: (records: readonly EntityRecord[]) => boolean = (records) =>
        answers.every(({ expected, said }) => outcome(expected, records) === said);
      if (this.#ledger.knows(revision)) for (const answer of answers) this.#hold(answer);
      else if (!this.#ledger.findLost(revision, agrees))
        this.wrongs.push(`answered at ${token}, which nobody has committed`);
    }
    for (const [key, { code, expected }] of this.#failures) {
      if (this.#ledger.graphs().some((records) => outcome(expected, records) === code)) this.#possible.add(key);
      else this.wrongs.push(`${key}, which no graph gives reason for`);
    }
    this.#failures.clear();
    for (const { asked, at, loadedAt } of this.#reached.splice(0)) this.#holdReached(asked, at, loadedAt);
    for (const { asked, code } of this.#refused.splice(0)) {
      if (!this.#ledger.gives(code, asked)) this.wrongs.push(`was asked for ${formatRevision(asked)}: ${code}`);
    }
  }

  #holdReached(asked: Revision, at: Revision, loadedAt: number): void {
    const text = `was asked for ${formatRevision(asked)}, and answered at ${formatRevision(at)}`;
    const behind = asked.epoch === at.epoch && asked.number > at.number;
    const known = this.#ledger.knows(at) && (asked.epoch !== at.epoch || asked.number >= loadedAt);
    if (behind || (known && !this.#ledger.isWithin(asked, at))) this.wrongs.push(text);
  }

  #hold({ revision, question, said, expected }: Answer): void {
    const key = `${formatRevision(revision)} ${question}`;
    let wanted = this.#expected.get(key);
    if (wanted === undefined) {
      wanted = outcome(expected, this.#ledger.recordsAt(revision));
      if (this.#expected.size === mostExpected) this.#expected.clear();
      this.#expected.set(key, wanted);
    }
    if (said !== wanted) this.wrongs.push(`at ${key}: ${said} instead of ${wanted}`);
  }
}
