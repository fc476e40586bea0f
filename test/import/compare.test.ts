// The comparison against brute force, on random rules and random graphs, and the report of it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, isSame } from '../../src/import/compare.ts';
import type { Import, OldQuestion } from '../../src/import/importer.ts';
import { formatReport, toReportJson } from '../../src/import/report.ts';
import { graph } from '../reference/arbitraries.ts';
import { query } from '../reference/questions.ts';
import { runs, say } from '../reference/runs.ts';
import { seed } from '../setup/seed.ts';
import { changed, now, reported } from './brute-force.ts';

/** No importer makes conditions: what they need is not in a question of the old system. */
const unconditional = graph.map((records) => records.filter((record) => !('condition' in record)));
const asked = fc.array(query, { minLength: 1, maxLength: 12, size: 'max' });

describe('the comparison', () => {
  test('names every decision that differs, and no other one', { timeout: 20_000 + runs * 100 }, () => {
    const property = fc.property(unconditional, asked, fc.infiniteStream(fc.boolean()), (records, queries, coin) => {
      const subjects = [...new Set(queries.map(({ subject }) => subject))].sort();
      const questions = queries.map(({ action, object }) => ({ action, object }));
      const decided = new Map<string, boolean>();
      const allowed = (subject: string, action: string, object: string) => {
        const key = JSON.stringify([subject, action, object]);
        if (!decided.has(key)) decided.set(key, coin.next().value === true);
        return decided.get(key) === true;
      };
      const allows = (subject: string, { action, object }: OldQuestion) => allowed(subject, action, object);
      const imported: Import = { records, rules: { subjects, questions, allows }, leftovers: [] };
      expect(reported(imported), say(queries)).toEqual(changed(imported, subjects, allowed));
      const comparison = compare(imported, now);
      expect(comparison.widened + comparison.narrowed).toBe(reported(imported).length);
      expect(isSame(comparison)).toBe(reported(imported).length === 0);
    });
    fc.assert(property, { seed, numRuns: runs });
  });

  test('of 1,000 subjects and 10,000 questions is done in seconds', { timeout: 60_000 }, () => {
    const subjects = Array.from({ length: 1_000 }, (_, i) => `user:${i}`);
    const questions = Array.from({ length: 10_000 }, (_, i) => ({ action: `do${i % 10}`, object: `doc:${i}` }));
    const records: Import['records'] = [
      { kind: 'role', name: 'first', permissions: ['doc:do1'] },
      ...subjects.map((subject, i) => ({
        kind: 'binding' as const,
        subject,
        role: 'first',
        scope: `doc:${i * 10 + 1}`,
      })),
    ];
    const allows = (subject: string, { object }: OldQuestion) => object === `doc:${Number(subject.slice(5)) * 10 + 1}`;
    const comparison = compare({ records, rules: { subjects, questions, allows }, leftovers: [] }, now);
    expect(comparison).toMatchObject({ subjects: 1_000, questions: 10_000, widened: 0, narrowed: 0 });
  });
});

describe('the report', () => {
  const objects = Array.from({ length: 10 }, (_, i) => `doc:${i}`);
  const comparison = compare(
    {
      records: [
        { kind: 'role', name: 'reader', permissions: ['doc:read'] },
        { kind: 'binding', subject: 'user:ann', role: 'reader', scope: '*' },
      ],
      rules: {
        subjects: ['user:ann', 'user:bob', 'user:cem'],
        questions: [...objects.map((object) => ({ action: 'read', object })), { action: 'doc:read', object: '' }],
        allows: (subject, { object }) => (subject === 'user:bob' ? object === '' : false),
      },
      leftovers: [
        { subject: 'user:bob', what: 'a\nnewline', why: 'it has no place' },
        { subject: '', what: 'a setting', why: 'it is nobody’s' },
      ],
    },
    now,
  );

  test('says for each subject what changes, shortens long lists, and never leaves a control character', () => {
    expect(formatReport(comparison).split('\n')).toEqual([
      '(nobody in particular)',
      '  left over  a setting: it is nobody’s',
      'user:ann',
      '  widened    doc:read on the whole tenant',
      `  widened    read on ${objects.slice(0, 8).join(', ')} and 2 more`,
      'user:bob',
      '  narrowed   doc:read on the whole tenant',
      '  left over  a\ufffdnewline: it has no place',
      '3 subjects, 11 questions each: 11 widened, 1 narrowed, 2 left over',
    ]);
  });

  test('as JSON holds all of it', () => {
    const report = toReportJson(comparison);
    expect(report).toMatchObject({ same: false, subjects: 3, questions: 11, widened: 11, narrowed: 1, leftovers: 2 });
    expect(report.differences[1]?.widened).toEqual([
      { action: 'doc:read', objects: [''] },
      { action: 'read', objects },
    ]);
  });
});
