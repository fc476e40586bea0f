/**
 * Decides recorded questions on another graph, as mode enforce would. An error is an outcome of its own: neither an
 * allow nor a deny.
 */
import { decide } from '../engine/decide.ts';
import type { Snapshot } from '../graph/snapshot.ts';
import { PosternError } from '../model/errors.ts';
import type { Query } from '../model/query.ts';
import { checkAttributes } from '../pdp/check-query.ts';

export type Answer = 'allowed' | 'denied' | 'error';

export interface Outcome {
  readonly answer: Answer;
  /** A reason of the decision, or the code of the error. */
  readonly reason: string;
  /** The deciding or closest binding as a JSON array; empty where there is none. */
  readonly binding: string;
  /** What is wrong; empty where nothing is. */
  readonly message: string;
}

/** @param nowMs Milliseconds since 1970. */
export type Decider = (query: Query, nowMs: number) => Outcome;

export function createDecider(snapshot: Snapshot): Decider {
  return (query, nowMs) => {
    try {
      // The graph may declare other attributes than that which the caller wrote for.
      checkAttributes(query.attributes, snapshot.attributeTypes, '');
      const { allowed, reason, binding } = decide(snapshot, query, nowMs);
      return { answer: allowed ? 'allowed' : 'denied', reason, binding, message: '' };
    } catch (error) {
      if (!(error instanceof PosternError)) throw error;
      return { answer: 'error', reason: error.code, binding: '', message: error.message };
    }
  };
}
