/**
 * Decides what a log holds again, on another graph, and counts what would change. Pure but for what it keeps; called by
 * `postern replay` with one record after the other. It must never leave a record out without counting it: whoever
 * relies on "nothing would change" has to see what that was said of.
 */
import type { DecisionRecord, LogRecord, StartRecord } from '../decision-log/record.ts';
import type { Answer, Decider, Outcome } from './decide-again.ts';
import { enforcedAnswer, questionOf } from './question.ts';
import { SeenIds } from './seen-ids.ts';
import { type ChangedDecision, createTally, type Direction, type Group, type Grouping } from './tally.ts';

export interface ReplayOptions {
  readonly proposed: Decider;
  /** Decides what is compared with; absent: what was recorded. */
  readonly baseline?: Decider;
  /** Whether a graph that decides has conditions. */
  readonly attributesCount: boolean;
  readonly grouping: Grouping;
  /** Told of every decision that would change. */
  readonly onChange?: (changed: ChangedDecision) => void;
}

export interface Report {
  /** Decisions in the log, each counted once. */
  readonly decisions: number;
  /** Times of the first and of the last one; empty where there is none. */
  readonly from: string;
  readonly to: string;
  readonly replayed: number;
  readonly changed: Readonly<Record<Direction, number>>;
  /** Answers that stay, for another reason. */
  readonly otherReason: number;
  readonly notReplayed: {
    readonly lists: number;
    /** Decisions of which a part of the question is masked. */
    readonly masked: number;
    /** Decisions that were made while enforcement was off: nobody knows what it would have said. */
    readonly notEnforced: number;
  };
  /** Gap records, and how many records they stand for. */
  readonly gaps: number;
  readonly missing: number;
  /** Records that came again. */
  readonly repeated: number;
  /** Replayed decisions that were sampled, and how many decisions these stand for. */
  readonly sampled: number;
  readonly sampledFrom: number;
  /** What the log was told to leave out, as its start records say: "filter include outcome=denied", "sample allowed=0.1". */
  readonly leftOut: readonly string[];
  /** Answers of the baseline that are not what was recorded. */
  readonly baselineDiffers: number;
  readonly groups: readonly Group[];
  /** Changed decisions that are in no group, because there were too many. */
  readonly ungrouped: number;
}

export interface Replay {
  add(record: LogRecord): void;
  /** Of a process that began before what is asked for: it says how what follows was kept. */
  addStart(record: StartRecord): void;
  report(): Report;
}

export function createReplay({ proposed, baseline, attributesCount, grouping, onChange }: ReplayOptions): Replay {
  const seen = new SeenIds();
  const tally = createTally(grouping);
  const counts = {
    decisions: 0,
    from: '',
    to: '',
    replayed: 0,
    otherReason: 0,
    gaps: 0,
    missing: 0,
    repeated: 0,
    sampled: 0,
    sampledFrom: 0,
    baselineDiffers: 0,
  };
  const changed: Record<Direction, number> = { newly_allowed: 0, newly_denied: 0, newly_failing: 0 };
  const notReplayed = { lists: 0, masked: 0, notEnforced: 0 };
  const leftOut = new Set<string>();
  /** By instance: what it leaves out, until that was told. */
  const rules = new Map<string, readonly string[]>();

  const addStart = ({ instance, log }: StartRecord) => {
    const told = (['filter', 'sample'] as const).flatMap((name) => {
      const rule = log[name];
      return rule === undefined ? [] : [`${name} ${typeof rule === 'string' ? rule : JSON.stringify(rule)}`];
    });
    if (told.length > 0) rules.set(instance, told);
    else rules.delete(instance);
  };

  const addLeftOut = (instance: string) => {
    for (const rule of rules.get(instance) ?? []) leftOut.add(rule);
    rules.delete(instance);
  };

  const addDecision = (record: DecisionRecord) => {
    counts.decisions++;
    if (rules.size > 0) addLeftOut(record.instance);
    if (counts.from === '' || record.time < counts.from) counts.from = record.time;
    if (record.time > counts.to) counts.to = record.time;
    const question = questionOf(record, attributesCount);
    if (question === 'list') notReplayed.lists++;
    else if (question === 'masked') notReplayed.masked++;
    else {
      const allowed = enforcedAnswer(record);
      const recorded = allowed === undefined ? undefined : allowed ? 'allowed' : 'denied';
      const before = baseline?.(question.query, question.nowMs);
      const answer = before?.answer ?? recorded;
      if (answer === undefined) {
        notReplayed.notEnforced++;
        return;
      }
      if (recorded !== undefined && recorded !== answer) counts.baselineDiffers++;
      compare(record, answer, before, proposed(question.query, question.nowMs));
    }
  };

  /** @param before Undefined where it is what was recorded. */
  const compare = (record: DecisionRecord, answer: Answer, before: Outcome | undefined, after: Outcome) => {
    counts.replayed++;
    if (record.sample_rate !== undefined) {
      counts.sampled++;
      counts.sampledFrom += 1 / record.sample_rate;
    }
    if (answer === after.answer) {
      if ((before ?? record).reason !== after.reason) counts.otherReason++;
      return;
    }
    const direction = directionOf(after);
    changed[direction]++;
    const decision: ChangedDecision = { record, direction, before: before ?? toOutcome(record, answer), after };
    tally.add(decision);
    onChange?.(decision);
  };

  return {
    addStart,
    add(record) {
      if (record.type === undefined) {
        if (seen.add(record.id)) addDecision(record);
        else counts.repeated++;
      } else if (record.type === 'gap') {
        if (!seen.add(JSON.stringify(['gap', record.instance, record.time, record.first, record.last]))) return;
        counts.gaps++;
        counts.missing += record.last - record.first + 1;
      } else if (record.type === 'start') {
        addStart(record);
        addLeftOut(record.instance);
      }
    },
    report: () => ({
      ...counts,
      changed,
      notReplayed,
      leftOut: [...leftOut],
      groups: tally.groups(),
      ungrouped: tally.ungrouped,
    }),
  };
}

function toOutcome({ reason, binding }: DecisionRecord, answer: Answer): Outcome {
  return { answer, reason, binding: binding === undefined ? '' : JSON.stringify(binding), message: '' };
}

function directionOf({ answer }: Outcome): Direction {
  if (answer === 'error') return 'newly_failing';
  return answer === 'allowed' ? 'newly_allowed' : 'newly_denied';
}
