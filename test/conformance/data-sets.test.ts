/** Real role graphs with labelled checks, where they are at hand: every check is answered as it is labelled. */
import { describe, expect, test } from 'vitest';
import { hasDataSet, loadChecks, loadGraph } from '../data/load-uniform.ts';
import { engineCheck, engineExplain, engineOf } from '../reference/engine-adapter.ts';
import { check } from '../reference/evaluator.ts';
import { problemsOfPath } from '../reference/paths.ts';

const now = Date.parse('2026-06-01T00:00:00Z');

const dataSets = [
  { set: 'kubernetes-org', graph: 'graph.json', checks: 'checks.json', sampled: 200 },
  { set: 'gcp-iam', graph: 'graph.json.gz', checks: 'checks.json', sampled: 5 },
  { set: 'gcp-iam', graph: 'graph-factored.json.gz', checks: 'checks-factored.json', sampled: 5 },
  // The factored graph says the same as the other, so it answers the other's checks too.
  { set: 'gcp-iam', graph: 'graph-factored.json.gz', checks: 'checks.json', sampled: 0 },
  { set: 'hp-role-mining/americas_small', graph: 'graph.json.gz', checks: 'checks.json', sampled: 200 },
  { set: 'hp-role-mining/customer', graph: 'graph.json.gz', checks: 'checks.json', sampled: 60 },
  { set: 'hp-role-mining/customer', graph: 'graph-acl.json.gz', checks: 'checks-acl.json', sampled: 60 },
] as const;

for (const { set, graph, checks, sampled } of dataSets) {
  const missing = !hasDataSet(set);
  const title = missing ? `data set ${set} is not at hand (../shared/data/${set})` : `${set}: ${graph}, ${checks}`;

  describe.skipIf(missing)(title, { timeout: 120_000 }, () => {
    const records = missing ? [] : loadGraph(`${set}/${graph}`);
    const labelled = missing ? [] : loadChecks(`${set}/${checks}`);

    test(`the engine answers all ${labelled.length} checks as they are labelled`, () => {
      const snapshot = engineOf(records);
      const wrong = labelled.filter(({ query, allowed }) => engineCheck(snapshot, query, now).allowed !== allowed);
      expect(labelled.some(({ allowed }) => allowed) && labelled.some(({ allowed }) => !allowed)).toBe(true);
      expect(wrong).toEqual([]);
    });

    const sample = labelled.slice(0, sampled);
    if (sample.length === 0) return;
    test(`the reference answers ${sample.length} of them the same, reasons too`, () => {
      const snapshot = engineOf(records);
      for (const { query, allowed, kind } of sample) {
        const verdict = check(records, query, now);
        expect(verdict.allowed, `${kind} ${JSON.stringify(query)}`).toBe(allowed);
        const explained = engineExplain(snapshot, query, now);
        expect(explained.verdict).toEqual(verdict);
        expect(problemsOfPath(records, query, verdict, explained.path, now), JSON.stringify(explained)).toEqual([]);
      }
    });
  });
}
