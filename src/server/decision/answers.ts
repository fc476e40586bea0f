/**
 * Asks a view and shapes what it says into answers: the part of every RPC that
 * is the same on each transport. Must stay free of decisions of its own.
 */
import type { Steps } from '../../engine/steps.ts';
import type { Decision } from '../../model/query.ts';
import type { Call, View } from '../../pdp/view.ts';
import {
  type BatchAnswer,
  type BatchQuestion,
  type CheckAnswer,
  type CheckQuestion,
  itemPrefix,
  type ListObjectsQuestion,
  type ObjectsPart,
} from '../question.ts';

export function answerCheck(view: View, question: CheckQuestion, call: Call): CheckAnswer {
  const { revision, mode, dataAgeMs } = view;
  return { decision: view.check(question.query, call), revision, mode, dataAgeMs };
}

/** Checks in one step of a batch: a millisecond, where no processor cache holds what they are about. */
const checksInStep = 100;

/** Lists may take many steps, whatever is asked. */
export function alwaysLong(): boolean {
  return true;
}

/** Whether a batch takes more than one step. */
export function isLongBatch({ queries }: BatchQuestion): boolean {
  return queries.length > checksInStep;
}

export function* answerBatch(view: View, question: BatchQuestion, call: Call): Steps<BatchAnswer> {
  const { queries, mode } = question;
  const decisions = new Array<Decision>(queries.length);
  let allowed = 0;
  for (let i = 0; i < queries.length; i++) {
    if (i > 0 && i % checksInStep === 0) yield;
    const decision = view.check(queries[i]!, call, itemPrefix(i));
    if (decision.allowed) allowed++;
    decisions[i] = decision;
  }
  const sum = mode === 'all-of' ? allowed === queries.length : mode === 'any-of' && allowed > 0;
  return { decisions, allowed: sum, revision: view.revision, mode: view.mode, dataAgeMs: view.dataAgeMs };
}

/**
 * The messages of a list, made as they are asked for, the last with the page token; undefined is a pause. Returning
 * early ends the list in the view too.
 */
export function* answerObjects(
  view: View,
  question: ListObjectsQuestion,
  call: Call,
): Generator<ObjectsPart | undefined, void, undefined> {
  const list = yield* view.listObjects(question.query, question.type, question.page, call);
  const { parts } = list;
  let ended = false;
  let first = true;
  try {
    while (!ended) {
      const next = parts.next();
      ended = next.done === true;
      if (next.done !== true && next.value === undefined) {
        yield;
        continue;
      }
      const nextPageToken = next.done === true ? next.value : '';
      // A last message without objects is sent only where it says something.
      if (next.done === true && !first && nextPageToken === '') return;
      const objects = next.done === true ? [] : (next.value as readonly string[]);
      if (first) {
        first = false;
        yield {
          objects,
          scopes: list.scopes,
          decisionId: list.decisionId,
          revision: view.revision,
          mode: view.mode,
          nextPageToken,
          dataAgeMs: view.dataAgeMs,
        };
      } else yield { objects, scopes: [], decisionId: '', revision: '', mode: undefined, nextPageToken, dataAgeMs: 0 };
    }
  } finally {
    if (!ended) parts.return?.();
  }
}
