/**
 * Answers to generated messages: for every RPC over HTTP, and over gRPC for those
 * whose answers are encoded by generated code.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Path, Step } from '../../engine/explain.ts';
import type { DecisionSchema } from '../../gen/postern/v1/decision_pb.ts';
import type {
  BatchCheckResponseSchema,
  CheckResponseSchema,
  ExplainResponseSchema,
  ListActionsResponseSchema,
  ListObjectsResponseSchema,
  ListSubjectsResponseSchema,
} from '../../gen/postern/v1/decision_service_pb.ts';
import type { Decision } from '../../model/query.ts';
import type { ActionList, Explanation, SubjectList, View } from '../../pdp/view.ts';
import type { BatchAnswer, CheckAnswer, ObjectsPart } from '../question.ts';
import { modeNumbers, reasonNumbers } from '../wire/enums.ts';

export function fromCheckAnswer(answer: CheckAnswer): MessageInitShape<typeof CheckResponseSchema> {
  const { revision, dataAgeMs } = answer;
  return { decision: fromDecision(answer.decision), revision, mode: modeNumbers[answer.mode], dataAgeMs };
}

export function fromBatchAnswer(answer: BatchAnswer): MessageInitShape<typeof BatchCheckResponseSchema> {
  const { allowed, revision, mode, dataAgeMs } = answer;
  return { decisions: answer.decisions.map(fromDecision), allowed, revision, mode: modeNumbers[mode], dataAgeMs };
}

export function fromObjectsPart(part: ObjectsPart): MessageInitShape<typeof ListObjectsResponseSchema> {
  const { objects, scopes, decisionId, revision, nextPageToken, dataAgeMs } = part;
  const mode = part.mode === undefined ? 0 : modeNumbers[part.mode];
  return { objects: [...objects], scopes: [...scopes], decisionId, revision, mode, nextPageToken, dataAgeMs };
}

export function fromSubjectList(view: View, list: SubjectList): MessageInitShape<typeof ListSubjectsResponseSchema> {
  const { nextPageToken, decisionId } = list;
  return {
    subjects: [...list.subjects],
    wildcards: [...list.wildcards],
    nextPageToken,
    decisionId,
    revision: view.revision,
    mode: modeNumbers[view.mode],
    dataAgeMs: view.dataAgeMs,
  };
}

export function fromActionList(view: View, list: ActionList): MessageInitShape<typeof ListActionsResponseSchema> {
  const { decisionId } = list;
  return {
    actions: [...list.actions],
    patterns: [...list.patterns],
    decisionId,
    revision: view.revision,
    mode: modeNumbers[view.mode],
    dataAgeMs: view.dataAgeMs,
  };
}

export function fromExplanation(view: View, explanation: Explanation): MessageInitShape<typeof ExplainResponseSchema> {
  const { decision, path, summary } = explanation;
  return {
    decision: fromDecision(decision),
    ...(path === undefined ? {} : { path: fromPath(path) }),
    summary,
    revision: view.revision,
    mode: modeNumbers[view.mode],
    dataAgeMs: view.dataAgeMs,
  };
}

function fromDecision(decision: Decision): MessageInitShape<typeof DecisionSchema> {
  const { allowed, reason, binding, decisionId, enforcedAllowed } = decision;
  return { allowed, reason: reasonNumbers[reason], binding, decisionId, enforcedAllowed };
}

function fromPath(path: Path) {
  return {
    ...path,
    roles: [...path.roles],
    subjectSteps: path.subjectSteps.map(fromStep),
    objectSteps: path.objectSteps.map(fromStep),
  };
}

function fromStep({ from, to, asserted }: Step) {
  return { from, to, asserted };
}
