/**
 * Asks a view and shapes what it says into answers: the part of every RPC that
 * is the same on each transport. Must stay free of decisions of its own.
 */
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
  return { decision: view.check(question.query, call), revision: view.revision, mode: view.mode };
}

export function answerBatch(view: View, question: BatchQuestion, call: Call): BatchAnswer {
  const { queries, mode } = question;
  const decisions = new Array<Decision>(queries.length);
  let allowed = 0;
  for (let i = 0; i < queries.length; i++) {
    const decision = view.check(queries[i]!, call, itemPrefix(i));
    if (decision.allowed) allowed++;
    decisions[i] = decision;
  }
  const sum = mode === 'all-of' ? allowed === queries.length : mode === 'any-of' && allowed > 0;
  return { decisions, allowed: sum, revision: view.revision, mode: view.mode };
}

/**
 * The messages of a list, made as they are asked for: the first at once, the
 * last with the page token. Returning early ends the list in the view too.
 */
export function* answerObjects(view: View, question: ListObjectsQuestion, call: Call): Generator<ObjectsPart, void> {
  const list = view.listObjects(question.query, question.type, question.page, call);
  const { parts } = list;
  let ended = false;
  let first = true;
  try {
    while (!ended) {
      const next = parts.next();
      ended = next.done === true;
      const nextPageToken = next.done === true ? next.value : '';
      // A last message without objects is sent only where it says something.
      if (next.done === true && !first && nextPageToken === '') return;
      const objects = next.done === true ? [] : next.value;
      if (first) {
        first = false;
        yield {
          objects,
          scopes: list.scopes,
          decisionId: list.decisionId,
          revision: view.revision,
          mode: view.mode,
          nextPageToken,
        };
      } else yield { objects, scopes: [], decisionId: '', revision: '', mode: undefined, nextPageToken };
    }
  } finally {
    if (!ended) parts.return?.();
  }
}
