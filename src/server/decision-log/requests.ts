/**
 * Messages of DecisionLogService to what administration takes. A request is refused with all of its problems at once.
 * @throws PosternError INVALID_REQUEST with problems, as every function here
 */
import type { Message, MessageShape } from '@bufbuild/protobuf';
import type { DecisionQuery, DecisionTail } from '../../admin/decisions.ts';
import type { Selection } from '../../decision-log/query/selection.ts';
import { type LogFilter, QueryRequestSchema, TailRequestSchema } from '../../gen/postern/v1/decision_log_service_pb.ts';
import { inspect } from '../policy/inspect.ts';
import { toInstant } from '../policy/instants.ts';
import { createProblems, type Problems } from '../policy/problems.ts';

/** Longest name in a filter, in bytes: of what is logged, a revision or an id with its type. */
const maxFilterBytes = 1_024;

export function toDecisionQuery(message: MessageShape<typeof QueryRequestSchema>): DecisionQuery {
  const { tenant, filter, since, until, pageSize, pageToken, onBehalfOf } = message;
  return withoutProblems(QueryRequestSchema, message, (problems) => {
    const from = toInstant(since, 'since', problems);
    const to = toInstant(until, 'until', problems);
    if (from !== undefined && to !== undefined && to <= from) problems.add('until', 'is not later than since');
    const selection = {
      ...toSelection(filter, problems),
      ...(from === undefined ? {} : { since: new Date(from).toISOString() }),
      ...(to === undefined ? {} : { until: new Date(to).toISOString() }),
    };
    return { tenant, selection, page: { size: pageSize, token: pageToken }, onBehalfOf };
  });
}

export function toDecisionTail(message: MessageShape<typeof TailRequestSchema>): DecisionTail {
  const { tenants, filter, start, onBehalfOf, untilEnd } = message;
  return withoutProblems(TailRequestSchema, message, (problems) => {
    const selection = toSelection(filter, problems);
    const asked = { tenants: [...tenants], onBehalfOf, follow: !untilEnd };
    if (start.case === 'newest') return { ...asked, selection, from: start.value };
    if (start.case === undefined) return { ...asked, selection, from: 'end' };
    const from = toInstant(start.value, 'since', problems) ?? 0;
    return { ...asked, selection: { ...selection, since: new Date(from).toISOString() }, from: 'start' };
  });
}

/** Absent and empty filters ask for nothing in particular. */
function toSelection(filter: LogFilter | undefined, problems: Problems): Selection {
  if (filter === undefined) return { allKinds: true };
  const { allowed, subject, action, object, objectType, source, instance, id, revision } = filter;
  const texts = { subject, action, object, object_type: objectType, source, instance, id, revision };
  for (const [field, text] of Object.entries(texts)) {
    if (Buffer.byteLength(text) > maxFilterBytes) {
      problems.add(`filter.${field}`, `is longer than ${maxFilterBytes} bytes; no record has such`);
    }
  }
  const { object_type: type, instance: _, ...others } = texts;
  const narrow = Object.fromEntries(Object.entries({ ...others, type }).filter(([, text]) => text !== ''));
  const isNarrow = allowed !== undefined || Object.keys(narrow).length > 0;
  return {
    ...narrow,
    ...(allowed === undefined ? {} : { allowed }),
    ...(instance === '' ? {} : { instance }),
    ...(isNarrow ? {} : { allKinds: true }),
  };
}

function withoutProblems<T>(
  desc: typeof QueryRequestSchema | typeof TailRequestSchema,
  message: Message,
  translate: (problems: Problems) => T,
): T {
  const problems = createProblems();
  const translated = translate(problems);
  inspect(desc, message, '', problems);
  problems.refuse();
  return translated;
}
