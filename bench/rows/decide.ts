/** decide() alone, and how it bears unrelated data. */

import { graphOptions } from '../../src/condition/graph-options.ts';
import { decide } from '../../src/engine/decide.ts';
import { Draft } from '../../src/graph/draft.ts';
import { emptySnapshot, type Snapshot } from '../../src/graph/snapshot.ts';
import type { Query } from '../../src/model/query.ts';
import { coreQuestions, randomGraph, randomQuestions, sized } from '../graphs.ts';
import { median, percentile, type Row } from '../measure.ts';

const calls = 300_000;
const nowMs = 1_800_000_000_000;

export async function decideRows(): Promise<Row[]> {
  const small = compile(10_000);
  const large = compile(1_000_000);
  const names = ['allowed', 'denied by a binding', 'denied for want of a permission'];
  const rows = names.map((name, i): Row => {
    const { p50, p99 } = latency(small, [coreQuestions[i] as Query]);
    return {
      what: `decide() alone, 10 groups, 5 ancestors: ${name}, p50 / p99`,
      measured: `${p50.toFixed(2)} us / ${p99.toFixed(2)} us`,
      atLeast: '1 us / 5 us',
      kept: p50 <= 1 && p99 <= 5,
      how: `${calls} calls among 10,000 bindings, each timed (the clock's own cost is in it)`,
    };
  });
  // Five pairs in turn: the machine's drift meets both sizes alike.
  const pairs = Array.from({ length: 5 }, () => [mean(small, coreQuestions), mean(large, coreQuestions)] as const);
  const factor = median(pairs.map(([at10k, at1m]) => at1m / at10k));
  const figures = `${median(pairs.map((pair) => pair[1])).toFixed(2)} us against ${median(pairs.map((pair) => pair[0])).toFixed(2)} us`;
  rows.push({
    what: 'the same at 1,000,000 bindings against 10,000',
    measured: `${factor.toFixed(2)} times (${figures})`,
    atLeast: 'at most 1.5 times',
    kept: factor <= 1.5,
    how: 'the same questions about the same 10 groups and 5 ancestors; mean of a million calls, median of 5 pairs',
  });
  const [at10k, at1m] = [10_000, 1_000_000].map((bindings, i) =>
    latency(i === 0 ? small : large, randomQuestions(sized(bindings), 100_000)),
  ) as [Latency, Latency];
  rows.push({
    what: 'decide(), anyone about anything: p50 at 10,000 / at 1,000,000 bindings',
    measured: `${at10k.p50.toFixed(2)} us / ${at1m.p50.toFixed(2)} us`,
    atLeast: '',
    kept: undefined,
    how: 'other users and objects with every call, so that at a million hardly anything is in a processor cache',
  });
  return rows;
}

function compile(bindings: number): Snapshot {
  const draft = new Draft(emptySnapshot(graphOptions));
  for (const record of randomGraph(sized(bindings))) draft.apply([{ op: 'put', record }]);
  return draft.freeze({ epoch: 'bench', number: 1 });
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Microseconds, of single calls. */
function latency(snapshot: Snapshot, questions: readonly Query[]): Latency {
  mean(snapshot, questions);
  const times: number[] = new Array<number>(calls);
  for (let i = 0; i < calls; i++) {
    const started = process.hrtime.bigint();
    decide(snapshot, questions[i % questions.length] as Query, nowMs);
    times[i] = Number(process.hrtime.bigint() - started) / 1_000;
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** Microseconds a call, over a million calls. */
function mean(snapshot: Snapshot, questions: readonly Query[]): number {
  const started = performance.now();
  for (let i = 0; i < 1_000_000; i++) decide(snapshot, questions[i % questions.length] as Query, nowMs);
  return (performance.now() - started) / 1_000;
}
