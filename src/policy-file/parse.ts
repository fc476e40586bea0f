/**
 * Policy text to the records of a graph, or everything that is wrong with it, with line and column. Called by
 * load.ts, the CLI and tests. Pure but for what it is given; it never throws for anything that the text holds.
 */

import { graphOptions } from '../condition/graph-options.ts';
import { validate } from '../graph/validate.ts';
import type { Problem } from '../graph/validate-report.ts';
import { type Finding, parseDocumentOf } from './document.ts';
import type { Path, PolicyResult } from './problem.ts';
import { policySchema } from './schema.ts';
import { suggest } from './suggest.ts';
import { type PlacedRecords, toRecords } from './to-records.ts';
import { findWarnings } from './warnings.ts';

/** Parses and validates a policy. Problems of syntax hide those of shape, and those of shape the rest. */
export function parsePolicy(text: string, fileName: string): PolicyResult {
  const document = parseDocumentOf(policySchema, text, fileName);
  if (!document.ok) return document;
  const placed = toRecords(document.data);
  const { problems, omitted } = validate(placed.records, { ...graphOptions, suggest });
  if (problems.length > 0) return document.reject(toFindings(problems, placed), omitted);
  return { ok: true, records: placed.records, warnings: findWarnings(document.data).map(document.toProblem) };
}

/** What is wrong with a value by itself hides what else is wrong at the same place: it mostly follows from it. */
function toFindings(problems: readonly Problem[], placed: PlacedRecords): Finding[] {
  const findings = new Map<string, Finding>();
  for (const problem of problems) {
    const finding = toFinding(problem, placed);
    const place = JSON.stringify([finding.part, finding.path]);
    if (!findings.has(place)) findings.set(place, finding);
  }
  return [...findings.values()];
}

function toFinding(problem: Problem, { origins }: PlacedRecords): Finding {
  const origin = origins[problem.index] as Path;
  const { path, part } = placeOf(problem, origin);
  return { path, part, message: problem.message, suggestion: problem.suggestion };
}

const fileNames: Readonly<Record<string, string>> = {
  expiresAt: 'expires_at',
  grantAction: 'grant_action',
};

/** Fields that a file writes as a key, by the kind of the record; a key stands for the record as a whole too. */
const keys: Readonly<Record<string, string>> = {
  type: 'name',
  attribute: 'name',
  role: 'name',
  group: 'group',
  object: 'object',
  hook: 'type',
  constraint: 'name',
};

/** Where the file holds a field of a record: identities are keys, except those of bindings and members. */
function placeOf({ kind, field }: Problem, origin: Path): Pick<Finding, 'path' | 'part'> {
  const [first, ...rest] = field;
  if (kind === 'settings') return { path: origin, part: 'value' };
  if (kind === 'member' && first === 'group') return { path: origin.slice(0, 2), part: 'key' };
  if (kind === 'member' && first === 'member') return { path: [...origin, 'subject'], part: 'value' };
  // A hook is the list of its grants.
  if (kind === 'hook' && first === 'grants') return { path: [...origin, ...rest], part: 'value' };
  if (keys[kind] !== undefined && (first === undefined || first === keys[kind])) return { path: origin, part: 'key' };
  return { path: [...origin, ...field.map((step) => fileNames[step] ?? step)], part: 'value' };
}
