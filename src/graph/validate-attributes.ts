/**
 * Validation of conditions against declared attributes, where there are any: attributes that nobody declared, and
 * types that do not fit. Called by validate.ts and validate-change-attributes.ts. What a condition may be without
 * knowing any attribute is the compiler's.
 */

import { parseAttributeType } from '../model/attribute-type.ts';
import type { AttributeTypes } from '../model/condition.ts';
import type { AttributeRecord, EntityRecord } from '../model/entity.ts';
import type { Compilers } from './validate-field-checks.ts';
import { createNearest, type Suggest } from './validate-nearest.ts';
import type { Report } from './validate-report.ts';

/** What is wrong with a condition, or undefined; equal texts are looked at once. */
export type ProblemOfCondition = (text: string) => string | undefined;

export function checkAttributes(
  records: readonly EntityRecord[],
  { checkCondition, suggest }: Pick<Compilers, 'checkCondition'> & { readonly suggest: Suggest },
  report: Report,
): void {
  const types = typesOf(records.filter((record) => record.kind === 'attribute'));
  if (types === undefined) return;
  const problemOf = createConditionCheck(types, checkCondition, suggest);
  records.forEach((record, index) => {
    if (record.kind !== 'binding' || record.condition === undefined) return;
    const problem = problemOf(record.condition);
    if (problem !== undefined) report({ record, index }, ['condition'], problem);
  });
}

export function createConditionCheck(
  types: AttributeTypes,
  checkCondition: Compilers['checkCondition'],
  suggest: Suggest,
): ProblemOfCondition {
  const nearest = createNearest(suggest);
  const known = new Map<string, string | undefined>();
  return (text) => {
    if (known.has(text)) return known.get(text);
    const problem = checkCondition(text, types, (name) => nearest(name, types));
    known.set(text, problem);
    return problem;
  };
}

/** Undefined where nothing is declared; a type that is none has been reported already, and may be anything here. */
function typesOf(records: readonly AttributeRecord[]): AttributeTypes | undefined {
  if (records.length === 0) return undefined;
  return new Map(
    records.map(({ name, type }) => {
      try {
        return [name, parseAttributeType(type)];
      } catch {
        return [name, 'dyn'];
      }
    }),
  );
}
