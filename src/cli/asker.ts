/**
 * Whom the question commands ask: a sidecar, or a policy file in this process.
 * Both take and give the messages of the wire, so that every command prints the
 * same for either.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CheckRequestSchema,
  CheckResponse,
  ExplainResponse,
  ListActionsRequestSchema,
  ListActionsResponse,
  ListObjectsRequestSchema,
  ListObjectsResponse,
  ListSubjectsRequestSchema,
  ListSubjectsResponse,
} from '../gen/postern/v1/decision_service_pb.ts';

/** Everything throws PosternError. */
export interface Asker {
  check(request: MessageInitShape<typeof CheckRequestSchema>): Promise<CheckResponse>;
  explain(request: MessageInitShape<typeof CheckRequestSchema>): Promise<ExplainResponse>;
  listObjects(request: MessageInitShape<typeof ListObjectsRequestSchema>): AsyncIterable<ListObjectsResponse>;
  listSubjects(request: MessageInitShape<typeof ListSubjectsRequestSchema>): Promise<ListSubjectsResponse>;
  listActions(request: MessageInitShape<typeof ListActionsRequestSchema>): Promise<ListActionsResponse>;
  close(): void;
}
