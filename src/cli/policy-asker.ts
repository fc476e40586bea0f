/**
 * Answers questions from records in this process, through the same view and the
 * same translation as a sidecar; nothing is recorded. Used by the question
 * commands with --policy, and by `postern test`.
 */

import { create } from '@bufbuild/protobuf';
import { graphOptions } from '../condition/graph-options.ts';
import { createIds } from '../decision-log/ids.ts';
import type { Source } from '../decision-log/log.ts';
import { createNoLog } from '../decision-log/no-log.ts';
import { finish } from '../engine/steps.ts';
import {
  CheckRequestSchema,
  CheckResponseSchema,
  ExplainResponseSchema,
  ListActionsRequestSchema,
  ListActionsResponseSchema,
  ListObjectsRequestSchema,
  ListObjectsResponseSchema,
  ListSubjectsRequestSchema,
  ListSubjectsResponseSchema,
} from '../gen/postern/v1/decision_service_pb.ts';
import { applyChanges } from '../graph/apply.ts';
import { emptySnapshot } from '../graph/snapshot.ts';
import type { EntityRecord } from '../model/entity.ts';
import { defaultTenant } from '../model/names.ts';
import { createCounters } from '../pdp/counters.ts';
import { PageTokens } from '../pdp/page-tokens.ts';
import { SnapshotView } from '../pdp/snapshot-view.ts';
import { answerCheck, answerObjects } from '../server/decision/answers.ts';
import {
  toCheckQuestion,
  toListActionsQuestion,
  toListObjectsQuestion,
  toListSubjectsQuestion,
} from '../server/decision/request.ts';
import {
  fromActionList,
  fromCheckAnswer,
  fromExplanation,
  fromObjectsPart,
  fromSubjectList,
} from '../server/decision/response.ts';
import type { Asker } from './asker.ts';
import { loadPolicy } from './policy.ts';

/** @throws PosternError INVALID_POLICY, naming every problem of the file */
export async function openPolicyAsker(path: string): Promise<Asker> {
  const { records } = await loadPolicy(path);
  return createPolicyAsker(records, Date.now);
}

/**
 * @param records Of a valid graph.
 * @param now Milliseconds since 1970.
 */
export function createPolicyAsker(records: readonly EntityRecord[], now: () => number): Asker {
  const puts = records.map((record) => ({ op: 'put' as const, record }));
  const snapshot = applyChanges(emptySnapshot(graphOptions), puts, { epoch: 'file', number: 1 });
  const view = new SnapshotView(snapshot, 'file.1', 0, {
    tenant: defaultTenant,
    log: createNoLog(),
    nextId: createIds(),
    now,
    allowAssertedGroups: true,
    counters: createCounters(),
    pageTokens: new PageTokens(),
  });
  const call = (source: Source) => ({ source, caller: '', traceId: '' });
  return {
    async check(request) {
      const question = toCheckQuestion(create(CheckRequestSchema, request));
      return create(CheckResponseSchema, fromCheckAnswer(answerCheck(view, question, call('check'))));
    },
    async explain(request) {
      const { query } = toCheckQuestion(create(CheckRequestSchema, request));
      return create(ExplainResponseSchema, fromExplanation(view, view.explain(query, call('explain'))));
    },
    async *listObjects(request) {
      const question = toListObjectsQuestion(create(ListObjectsRequestSchema, request));
      for (const part of answerObjects(view, question, call('list_objects'))) {
        if (part !== undefined) yield create(ListObjectsResponseSchema, fromObjectsPart(part));
      }
    },
    async listSubjects(request) {
      const question = toListSubjectsQuestion(create(ListSubjectsRequestSchema, request));
      const { query, type, page } = question;
      const list = finish(view.listSubjects(query, type, page, call('list_subjects')));
      return create(ListSubjectsResponseSchema, fromSubjectList(view, list));
    },
    async listActions(request) {
      const { query } = toListActionsQuestion(create(ListActionsRequestSchema, request));
      const list = finish(view.listActions(query, call('list_actions')));
      return create(ListActionsResponseSchema, fromActionList(view, list));
    },
    close() {},
  };
}
