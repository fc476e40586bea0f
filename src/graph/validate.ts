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
import { type CompileRegex, checkFields } from './validate-fields.ts';
import { createNearest, type Suggest } from './validate-nearest.ts';
import { checkReferences } from './validate-references.ts';
import { createReport, type Problem, type Report } from './validate-report.ts';
import { checkTypes, indexTypes } from './validate-types.ts';

export interface Validation {
  /** In the order in which they were found; at most options.maxProblems. */
  readonly problems: readonly Problem[];
  /** How many more there are. */
  readonly omitted: number;
}

export interface ValidateOptions {
  /** Throws where a regular expression does not compile. */
  readonly compileRegex: CompileRegex;
  /** Throws where a condition does not compile. */
  readonly compileCondition: (text: string) => unknown;
  /** The candidate that was probably meant, or undefined where none is near. */
  readonly suggest: Suggest;
  /** Default 1,000. */
  readonly maxProblems?: number;
}

/** Everything that is wrong with a graph; no problems means that it may be put in force. */
export function validate(records: Iterable<EntityRecord>, options: ValidateOptions): Validation {
  const { report, problems, omitted } = createReport(options.maxProblems ?? 1_000);
  const all = Array.isArray(records) ? (records as readonly EntityRecord[]) : [...records];
  const nearest = createNearest(options.suggest);
  checkIdentities(all, report);
  checkFields(all, options, report);
  checkReferences(all, nearest, report);
  const types = indexTypes(all);
  if (types.declared.size > 0) checkTypes(all, types, nearest, report);
  return { problems, omitted: omitted() };
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
