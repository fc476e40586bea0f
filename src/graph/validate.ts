/**
 * Judges a whole graph before it is put in force: everything that is wrong, at
 * once, so that nobody mends a policy one error at a time. Called by the policy
 * file, by `postern apply` and by every writer, on the graph that would result.
 *
 * It is pure, imports the model only, and every step is linear and iterative:
 * a graph of a million bindings or a chain of 100,000 groups must not stall it.
 * What needs a package (regular expressions, nearest names) is handed in.
 */
import { type EntityKind, type EntityRecord, entityKey } from '../model/entity.ts';
import { checkAttributes } from './validate-attributes.ts';
import { checkConstraints } from './validate-constraints.ts';
import type { Compilers } from './validate-field-checks.ts';
import { createFieldCheck } from './validate-fields.ts';
import { createNearest, type Suggest } from './validate-nearest.ts';
import { checkReferences } from './validate-references.ts';
import { checkRegexes } from './validate-regexes.ts';
import { createReport, type Report, type Validation } from './validate-report.ts';
import { createTypeCheck, indexTypes } from './validate-types.ts';

export interface ValidateOptions extends Compilers {
  /** The candidate that was probably meant, or undefined where none is near. */
  readonly suggest: Suggest;
  /** Default 1,000. */
  readonly maxProblems?: number;
}

/** Everything that is wrong with a graph; no problems means that it may be put in force. */
export function validate(records: Iterable<EntityRecord>, options: ValidateOptions): Validation {
  const list = createReport(options.maxProblems);
  const { report } = list;
  const all = Array.isArray(records) ? (records as readonly EntityRecord[]) : [...records];
  const nearest = createNearest(options.suggest);
  const checkFields = createFieldCheck(options, report);
  checkIdentities(all, report);
  all.forEach((record, index) => {
    checkFields({ record, index });
  });
  checkReferences(all, nearest, report);
  checkTypes(all, options, report);
  checkAttributes(all, options, report);
  checkRegexes(all, options.compileRegex, report);
  checkConstraints(all, list);
  return list.result();
}

function checkTypes(records: readonly EntityRecord[], { suggest }: ValidateOptions, report: Report): void {
  const types = indexTypes(records.filter((record) => record.kind === 'type'));
  if (types.declared.size === 0) return;
  // With a budget of its own: whether a type is a typo must not depend on how many other names were compared.
  const checkRecord = createTypeCheck(types, createNearest(suggest), report);
  records.forEach((record, index) => {
    checkRecord({ record, index });
  });
}

function checkIdentities(records: readonly EntityRecord[], report: Report): void {
  const seen = new Map<EntityKind, Set<string>>();
  records.forEach((record, index) => {
    let ofKind = seen.get(record.kind);
    if (ofKind === undefined) {
      ofKind = new Set();
      seen.set(record.kind, ofKind);
    }
    const key = entityKey(record);
    if (ofKind.has(key)) report({ record, index }, [], `${describe(record)} is there twice; remove one`);
    ofKind.add(key);
  });
}

function describe(record: EntityRecord): string {
  switch (record.kind) {
    case 'settings':
      return 'the settings record';
    case 'member':
      return `member ${record.member} of ${record.group}`;
    case 'binding':
      return record.name === undefined
        ? 'this binding (same subject, role, scope and effect)'
        : 'this binding (same subject, role, scope, effect and name)';
    default:
      return `${record.kind} ${JSON.stringify(entityKey(record))}`;
  }
}
