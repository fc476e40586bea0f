/**
 * Explains a recorded decision at the revision and the time at which it was made, and says whether that is what was
 * recorded. The work of `postern audit explain`. It must never pass off another graph as that of the decision.
 */
import { type JsonObject, toJson } from '@bufbuild/protobuf';
import type { DecisionRecord } from '../decision-log/record.ts';
import { Mode, Reach } from '../gen/postern/v1/decision_pb.ts';
import { type ExplainResponse, ExplainResponseSchema } from '../gen/postern/v1/decision_service_pb.ts';
import { type Difference, differencesOf } from '../impact/agreement.ts';
import { maskedParts, type Question, questionOf } from '../impact/question.ts';
import { parseRevision } from '../model/change.ts';
import type { EntityRecord, Mode as ModeName } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import type { Reason } from '../model/query.ts';
import { describeTree } from './commands/explain.ts';
import { describeBinding, describeOutcome, nameOfReason } from './describe.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import { findDecision } from './find-decision.ts';
import { withStore } from './graph-source.ts';
import type { LogPlace } from './log-options.ts';
import type { RedisFlags } from './options.ts';
import { coloursOf, count, print, printJson, visible } from './output.ts';
import { graphAt } from './past-graph.ts';
import { createPolicyAsker } from './policy-asker.ts';
import { readStamped } from './policy-stamp.ts';
import { describeRecord } from './records.ts';
import { describeWrittenPath } from './written-path.ts';

export interface AuditExplainOptions {
  readonly log: LogPlace;
  readonly graph: RedisFlags;
  readonly policy?: string;
  readonly json?: true;
}

/** A graph, and what can be said of whether it is the one that decided. */
interface Found {
  readonly records: readonly EntityRecord[];
  readonly about: string;
  /** False where nobody knows whether it is the graph of that revision. */
  readonly certain: boolean;
}

/** What became of it. */
export interface Explained {
  readonly about: string;
  readonly certain: boolean;
  /** Undefined where it could not be decided again. */
  readonly answer: ExplainResponse | undefined;
  readonly differences: readonly Difference[];
  /** Why there is no explanation, or why it may be another one. */
  readonly reasons: readonly string[];
}

/** Finds it, explains it, prints both. @throws PosternError where the record or its graph cannot be had */
export async function explainDecision(id: string, options: AuditExplainOptions): Promise<ExitCode> {
  const record = await findDecision(options.log, id);
  const explained = await explainRecord(record, options);
  if (options.json) showJson(record, explained);
  else show(record, explained);
  return agrees(explained) ? exitCodes.ok : exitCodes.no;
}

export function agrees({ answer, differences }: Explained): boolean {
  return answer !== undefined && differences.length === 0;
}

/** @throws PosternError where its graph cannot be had */
export async function explainRecord(
  record: DecisionRecord,
  options: Pick<AuditExplainOptions, 'graph' | 'policy'>,
): Promise<Explained> {
  const nothing = { about: '', certain: true, answer: undefined, differences: [] };
  const masked = maskedParts(record);
  // Attributes may not matter: whoever looks is told that they are masked where what comes out differs.
  const question = questionOf(
    record,
    masked.some((part) => part !== 'attributes'),
  );
  if (question === 'list') {
    const why = 'this was a list; explain one of its elements with "postern explain --policy"';
    return { ...nothing, reasons: [why] };
  }
  if (question === 'masked')
    return { ...nothing, reasons: [`it cannot be decided again: masked are ${masked.join(', ')}`] };
  return explainAt(record, question, await findGraph(record, options));
}

async function findGraph(
  { tenant, revision }: DecisionRecord,
  { graph, policy }: Pick<AuditExplainOptions, 'graph' | 'policy'>,
): Promise<Found> {
  if (policy !== undefined) {
    const { records, stamp } = await readStamped(policy);
    if (stamp?.revision === revision && stamp.tenant === tenant) {
      return { records, about: `${policy}, exported at revision ${revision}`, certain: true };
    }
    const is =
      stamp === undefined
        ? 'does not say of which revision it is'
        : `is of revision ${stamp.revision} of tenant ${stamp.tenant}`;
    return { records, about: `${policy}, which ${is}; the decision was made at ${revision}`, certain: false };
  }
  if (graph.redis === undefined) {
    const message = 'name the graph that decided: its Redis with --redis, or an exported policy with --policy';
    throw new PosternError('INVALID_OPTION', message, { field: '--redis' });
  }
  const past = await withStore(graph, (store) => graphAt(store, tenant, parseRevision(revision, 'revision')));
  const undone = past.undone === 0 ? 'which is the newest' : `with ${count(past.undone, 'change set')} taken back`;
  const takenForNew =
    past.takenForNew === 0
      ? ''
      : `; history is cut off, and ${count(past.takenForNew, 'record')} made since are taken for new, as it says`;
  return {
    records: past.records,
    about: `revision ${revision}, ${undone}${takenForNew}`,
    certain: past.takenForNew === 0,
  };
}

async function explainAt(record: DecisionRecord, { query, nowMs }: Question, found: Found): Promise<Explained> {
  const { about, certain } = found;
  const doubts = [
    ...(certain ? [] : ['the graph may be another one than that which decided']),
    ...(maskedParts(record).length === 0 ? [] : ['attributes are masked, which a condition may look at']),
  ];
  try {
    const { subject, action, object, reach, assertedGroups, activeRoles = [], attributes = {} } = query;
    const answer = await createPolicyAsker(found.records, () => nowMs).explain({
      subject,
      action,
      object,
      reach: reach === 'exact' ? Reach.EXACT : Reach.INHERITED,
      context: {
        assertedGroups: [...assertedGroups],
        activeRoles: [...activeRoles],
        attributes: attributes as JsonObject,
      },
    });
    const { decision, mode } = answer;
    if (decision === undefined) throw new Error('the answer holds no decision');
    const differences = differencesOf(record, {
      mode: modeNames[mode] ?? 'enforce',
      enforcedAllowed: decision.enforcedAllowed,
      reason: nameOfReason(decision.reason) as Reason,
      binding: decision.binding,
    });
    return { about, certain, answer, differences, reasons: differences.length === 0 ? [] : doubts };
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    const reasons = [`it cannot be decided again: ${error.message}`, ...doubts];
    return { about, certain, answer: undefined, differences: [], reasons };
  }
}

const modeNames: Readonly<Partial<Record<Mode, ModeName>>> = { [Mode.SHADOW]: 'shadow', [Mode.OFF]: 'off' };

function showJson(record: DecisionRecord, explained: Explained): void {
  const { about, certain, answer, differences, reasons } = explained;
  printJson({
    record,
    ...(about === '' ? {} : { graph: about, certain }),
    ...(answer === undefined
      ? {}
      : { explanation: toJson(ExplainResponseSchema, answer, { alwaysEmitImplicit: true }) }),
    agrees: agrees(explained),
    differences,
    reasons,
  });
}

function show(record: DecisionRecord, explained: Explained): void {
  const { about, certain, answer, differences, reasons } = explained;
  const colours = coloursOf(process.stdout);
  const { id, instance, seq, revision, caller, trace_id: trace, path } = record;
  const facts = [
    `decision ${id}`,
    `number ${seq} of ${instance}`,
    `revision ${revision}`,
    ...(caller === undefined ? [] : [`asked by ${caller}`]),
    ...(trace === undefined ? [] : [`trace ${trace}`]),
  ];
  print(describeRecord(record, colours));
  print(colours.dim(visible(facts.join(' · '))));
  if (path !== undefined) print(describeWrittenPath(record, colours));
  if (about !== '') print(`\n${colours.dim(visible(`explained at ${about}`))}`);
  if (answer?.decision !== undefined) {
    print(describeOutcome(answer.decision, answer.mode, colours));
    print(describeTree(answer, record.subject ?? '', record.object ?? '', record.active_roles !== undefined, colours));
  }
  if (agrees(explained)) print(colours.green(certain ? 'this is what was recorded' : 'it agrees with the record'));
  for (const { field, recorded, explained: now } of differences) {
    const text = `differs from the record: ${field} was ${inWords(field, recorded)}, and is ${inWords(field, now)}`;
    print(colours.red(visible(text)));
  }
  for (const reason of reasons) print(colours.yellow(visible(reason)));
}

function inWords(field: Difference['field'], value: string): string {
  if (value === '') return 'none';
  return field === 'binding' ? describeBinding(value) : value;
}
