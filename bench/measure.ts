/** Figures of a benchmark: medians over repeated runs, percentiles over single calls, and rows of the table. */

/** One row: what was measured, what came out, and what was asked for. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  /** What the project promises to reach; empty for a figure that is only informative. */
  readonly atLeast: string;
  /** Whether the promise is kept; undefined where there is none. */
  readonly kept: boolean | undefined;
  /** How it was measured, in a few words. */
  readonly how: string;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share 0.99 for the 99th percentile. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Runs things in turn, A B A B, so that a drift of the machine meets both alike; the rounds of each. */
export async function inTurn(rounds: number, ...runs: (() => Promise<number>)[]): Promise<number[][]> {
  const results: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) (results[i] as number[]).push(await run());
  }
  return results;
}

/** Pairwise ratios of two equally long lists. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value / (b[i] as number));
}
