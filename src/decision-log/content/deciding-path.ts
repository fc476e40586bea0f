/**
 * Why a decision was made, for its record: the way from the subject over the
 * deciding binding to the object, as Explain tells it. Explain has it in hand;
 * for a Check it is found after the answer, from the snapshot and the time that
 * the answer came from, so that the two cannot differ. The PDP makes it, the
 * encoder reads it. It must never cost a record: where it cannot be found, the
 * record goes without.
 */
import { explain, type Path, type Step } from '../../engine/explain.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import type { Query } from '../../model/query.ts';

/** Most steps on each side, and most roles, that a record tells; what is left out of the middle is counted. */
export const maxPathSteps = 16;
/** What one takes in memory, about; for the bound of the log's buffer. */
export const pathBytes = 2_048;

interface Question {
  readonly snapshot: Snapshot;
  readonly query: Query;
  readonly nowMs: number;
}

export class DecidingPath {
  #found: Path | undefined;
  /** Undefined when the path was looked for. */
  #question: Question | undefined;

  private constructor(found: Path | undefined, question: Question | undefined) {
    this.#found = found;
    this.#question = question;
  }

  static known(path: Path | undefined): DecidingPath {
    return new DecidingPath(path, undefined);
  }

  /** @param nowMs The time of the decision, in milliseconds since 1970. */
  static later(snapshot: Snapshot, query: Query, nowMs: number): DecidingPath {
    return new DecidingPath(undefined, { snapshot, query, nowMs });
  }

  /** Whether it is still to be looked for, and holds a snapshot until then. */
  get isPending(): boolean {
    return this.#question !== undefined;
  }

  /** The path, or undefined where no binding reaches. Never throws. */
  resolve(): Path | undefined {
    const question = this.#question;
    if (question === undefined) return this.#found;
    this.#question = undefined;
    try {
      this.#found = explain(question.snapshot, question.query, question.nowMs).path;
    } catch {
      // The decision was made, so this cannot fail for a reason of the question; the record must not pay for it.
    }
    return this.#found;
  }
}

/** A path as it is written. A name that a mask dropped is left out. */
export interface WrittenStep {
  readonly from?: string;
  readonly to?: string;
  readonly asserted?: true;
}

/** Keys that are absent are empty, as in Explain, or dropped by a mask. The binding is the record's own. */
export interface WrittenPath {
  readonly subject_steps?: readonly WrittenStep[];
  readonly subject_steps_omitted?: number;
  readonly effect: 'allow' | 'deny';
  readonly roles: readonly string[];
  readonly roles_omitted?: number;
  readonly permission?: string;
  readonly scope?: string;
  readonly condition?: string;
  readonly object_steps?: readonly WrittenStep[];
  readonly object_steps_omitted?: number;
}

/** The path as it is written where nothing is masked, bounded in size. */
export function toWrittenPath(path: Path): WrittenPath {
  const { subjectSteps, effect, roles, permission, scope, condition, objectSteps } = path;
  return {
    ...(subjectSteps.length === 0 ? {} : { subject_steps: ends(subjectSteps).map(toWrittenStep) }),
    ...omitted('subject_steps_omitted', subjectSteps),
    effect,
    roles: ends(roles),
    ...omitted('roles_omitted', roles),
    ...(permission === '' ? {} : { permission }),
    scope,
    ...(condition === '' ? {} : { condition }),
    ...(objectSteps.length === 0 ? {} : { object_steps: ends(objectSteps).map(toWrittenStep) }),
    ...omitted('object_steps_omitted', objectSteps),
  };
}

function toWrittenStep({ from, to, asserted }: Step): WrittenStep {
  return asserted ? { from, to, asserted } : { from, to };
}

/** The first and the last of a long way: where it begins and where it leads to is what is asked about first. */
function ends<Item>(items: readonly Item[]): readonly Item[] {
  if (items.length <= maxPathSteps) return items;
  return [...items.slice(0, maxPathSteps / 2), ...items.slice(-maxPathSteps / 2)];
}

function omitted(key: string, items: readonly unknown[]): Readonly<Record<string, number>> {
  return items.length <= maxPathSteps ? {} : { [key]: items.length - maxPathSteps };
}
