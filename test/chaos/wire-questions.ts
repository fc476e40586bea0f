// Questions as a service asks them of its sidecar, over gRPC, and what the reference says to each: its verdict, under the
// tenant's mode, where the attributes are of the declared types. Called by the follower that is a process of its own.
import type { JsonObject } from '@bufbuild/protobuf';
import type { Client } from '@grpc/grpc-js';
import { Reach, type Decision as WireDecision } from '../../src/gen/postern/v1/decision_pb.ts';
import { DecisionService } from '../../src/gen/postern/v1/decision_service_pb.ts';
import { findMismatch, parseAttributeType } from '../../src/model/attribute-type.ts';
import type { EntityRecord } from '../../src/model/entity.ts';
import { PosternError } from '../../src/model/errors.ts';
import { problemOfAction, problemOfObject, problemOfSubject } from '../../src/model/names.ts';
import type { Query } from '../../src/model/query.ts';
import { modeNumbers, reasonNumbers } from '../../src/server/wire/enums.ts';
import { check } from '../reference/evaluator.ts';
import { listObjects, modeOf } from '../reference/lists.ts';
import { serverStream, unary } from '../server/grpc-client.ts';

/** What stands in the log of a decision, too. */
export interface Noted {
  readonly id: string;
  readonly revision: string;
  readonly allowed: boolean;
  readonly reason: string;
}

export interface WireAnswer {
  readonly revision: string;
  readonly dataAgeMs: number;
  /** As JSON. */
  readonly said: string;
  readonly decisions: readonly Noted[];
}

export interface Asking {
  readonly tenant: string;
  /** A revision token, or empty. */
  readonly atLeast: string;
  readonly deadlineMs: number;
}

export interface WireQuestion {
  /** Two of the same words are one. */
  readonly words: string;
  /** Rejects with the ServiceError. */
  ask(client: Client, asking: Asking): Promise<WireAnswer>;
  /** What is to be said. @throws PosternError where an error is to be the answer */
  expected(records: readonly EntityRecord[]): unknown;
}

const { method } = DecisionService;
/** No expiry of random graphs lies near the time of the sidecar's clock, so that any time of the run does. */
const nowMs = Date.now();

/** Whether a question is well-formed: that a malformed one is refused is for other tests. */
export function isWellFormed({ subject, action, object }: Query): boolean {
  const problems = [problemOfSubject(subject), problemOfAction(action), object && problemOfObject(object)];
  return problems.every((problem) => !problem);
}

export function checkOf(query: Query): WireQuestion {
  return {
    words: `check ${JSON.stringify(query)}`,
    async ask(client, { tenant, atLeast, deadlineMs }) {
      const answer = await unary(client, method.check, { ...messageOf(query), tenant, atLeast }, {}, until(deadlineMs));
      const decision = answer.decision as WireDecision;
      return answerOf(answer, saidOf(decision, answer.mode), [decision]);
    },
    expected: (records) => decisionAt(records, query),
  };
}

export function batchOf(queries: readonly Query[]): WireQuestion {
  return {
    words: `batch ${JSON.stringify(queries)}`,
    async ask(client, { tenant, atLeast, deadlineMs }) {
      const message = { checks: queries.map(messageOf), tenant, atLeast };
      const answer = await unary(client, method.batchCheck, message, {}, until(deadlineMs));
      const said = answer.decisions.map((decision) => saidOf(decision, answer.mode));
      return answerOf(answer, said, answer.decisions);
    },
    expected: (records) => queries.map((query) => decisionAt(records, query)),
  };
}

export function listOf(query: Query, type: string): WireQuestion {
  return {
    words: `list of ${type} ${JSON.stringify(query)}`,
    async ask(client, { tenant, atLeast, deadlineMs }) {
      const { object, ...message } = messageOf(query);
      const asked = { ...message, type, tenant, atLeast };
      const parts = await serverStream(client, method.listObjects, asked, until(deadlineMs));
      const [first] = parts;
      if (first === undefined) throw new Error('a list without a message');
      const objects = parts.flatMap((part) => part.objects);
      const said = { objects: objects.toSorted(), scopes: first.scopes.toSorted() };
      const { revision, dataAgeMs, decisionId: id } = first;
      const allowed = objects.length > 0;
      const off = first.mode === modeNumbers.off ? 'ENFORCEMENT_OFF' : undefined;
      const decisions = [{ id, revision, allowed, reason: off ?? (allowed ? 'ALLOWED' : 'NO_ROLE') }];
      return { revision, dataAgeMs, said: JSON.stringify(said), decisions };
    },
    expected(records) {
      refuseMismatch(records, query);
      return listObjects(records, query, type, nowMs);
    },
  };
}

function answerOf(
  { revision, dataAgeMs }: { readonly revision: string; readonly dataAgeMs: number },
  said: unknown,
  decisions: readonly WireDecision[],
): WireAnswer {
  const noted = decisions.map(({ decisionId: id, allowed, reason }) => {
    return { id, revision, allowed, reason: wordOf(reasonNumbers, reason) };
  });
  return { revision, dataAgeMs, said: JSON.stringify(said), decisions: noted };
}

const until = (deadlineMs: number) => ({ deadline: Date.now() + deadlineMs });

function messageOf({ subject, action, object, reach, assertedGroups, activeRoles = [], attributes }: Query) {
  const context = { assertedGroups: [...assertedGroups], activeRoles: [...activeRoles] };
  return {
    ...{ subject, action, object, reach: reach === 'exact' ? Reach.EXACT : Reach.INHERITED },
    context: attributes === undefined ? context : { ...context, attributes: attributes as JsonObject },
  };
}

function saidOf({ allowed, reason, binding, enforcedAllowed }: WireDecision, mode: number) {
  return [allowed, wordOf(reasonNumbers, reason), binding, enforcedAllowed, wordOf(modeNumbers, mode)];
}

function decisionAt(records: readonly EntityRecord[], query: Query): ReturnType<typeof saidOf> {
  refuseMismatch(records, query);
  const mode = modeOf(records);
  if (mode === 'off') return [true, 'ENFORCEMENT_OFF', '', true, mode];
  const { allowed, reason, binding } = check(records, query, nowMs);
  return [allowed || mode !== 'enforce', reason, binding, allowed, mode];
}

function refuseMismatch(records: readonly EntityRecord[], { attributes = {} }: Query): void {
  for (const record of records) {
    if (record.kind !== 'attribute' || attributes[record.name] === undefined) continue;
    if (findMismatch(attributes[record.name] ?? null, parseAttributeType(record.type)) !== undefined)
      throw new PosternError('INVALID_CONTEXT', 'not of its type');
  }
}

function wordOf(numbers: Readonly<Record<string, number>>, number: number): string {
  return Object.entries(numbers).find(([, each]) => each === number)?.[0] ?? `unknown number ${number}`;
}
