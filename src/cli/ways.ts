/**
 * Where a permission comes from, for `who-can` and `what-can`: the deciding way of each answer, as Explain gives it.
 * Called with whoever answers, a sidecar or a file. It must never show a way that leads to another answer.
 */
import { type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { Reason } from '../gen/postern/v1/decision_pb.ts';
import {
  type CheckRequestSchema,
  type ExplainPath,
  ExplainPathSchema,
  type ExplainResponse,
} from '../gen/postern/v1/decision_service_pb.ts';
import type { Asker } from './asker.ts';
import { nameOfReason } from './describe.ts';
import { visible } from './output.ts';

export type Question = MessageInitShape<typeof CheckRequestSchema>;

/** Questions under way at the same time. */
const atOnce = 16;

/** The explanations, in the order of the questions. */
export async function explainAll(asker: Asker, questions: readonly Question[]): Promise<readonly ExplainResponse[]> {
  const answers: ExplainResponse[] = [];
  for (let i = 0; i < questions.length; i += atOnce) {
    answers.push(...(await Promise.all(questions.slice(i, i + atOnce).map((question) => asker.explain(question)))));
  }
  return answers;
}

/** "user:carol → group:ops → editor on folder:reports → viewer → doc:read". */
export function describeWay(subject: string, { path, decision }: ExplainResponse): string {
  const reason = decision?.reason ?? Reason.UNSPECIFIED;
  // The graph has changed since the list was made, or a mode answers in its place.
  if (path === undefined || reason !== Reason.ALLOWED) return nameOfReason(reason);
  const { subjectSteps, roles, scope, permission, condition } = path;
  const [bound = '', ...included] = roles;
  const people = [subject, ...subjectSteps.map(({ to, asserted }) => (asserted ? `${to} (asserted)` : to))];
  const limit = condition === '' ? '' : ` if ${condition}`;
  return visible([...people, `${bound} on ${scope}${limit}`, ...included, permission].join(' → '));
}

/** The same for machines: the path of the wire, or null where there is none. */
export function wayToJson({ path }: ExplainResponse) {
  return path === undefined
    ? null
    : toJson(ExplainPathSchema, path satisfies ExplainPath, { alwaysEmitImplicit: true });
}

/** A column beside another: `read   user:alice → ...`. */
export function inColumns(rows: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}
