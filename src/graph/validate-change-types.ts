/**
 * Declared types and changes. Called by validate-changes.ts. A put is held against the types that are declared
 * after it; where the types themselves change, everything that they speak of is.
 */
import { type EntityRecord, entityKey } from '../model/entity.ts';
import { quote } from '../model/names.ts';
import { toBindingRecord } from './binding.ts';
import type { ChangeContext } from './changed.ts';
import { itemsOf } from './chunked.ts';
import { at, emptyPaged } from './paged.ts';
import { recordsOf } from './records.ts';
import type { Snapshot } from './snapshot.ts';
import { createNearest } from './validate-nearest.ts';
import type { Report } from './validate-report.ts';
import { plain } from './validate-text.ts';
import { createTypeCheck, indexTypes } from './validate-types.ts';

/** A change of a type: what everything that no longer fits is told at. */
interface Cause {
  readonly index: number;
  readonly key: string;
}

export function checkChangedTypes({ after, changed, suggest, list }: ChangeContext): void {
  const types = indexTypes([...after.typeRecords.values()]);
  if (types.declared.size === 0) return;
  const causes: Cause[] = [
    ...changed.puts.flatMap(({ record, index }) => (record.kind === 'type' ? [{ key: record.name, index }] : [])),
    ...changed.deletes.filter(({ kind }) => kind === 'type'),
  ];
  const nearest = createNearest(suggest);
  const checkPut = createTypeCheck(types, nearest, list.report);
  for (const put of changed.puts) checkPut(put);
  if (causes.length === 0) return;

  const report: Report = ({ record }, field, message, suggestion) => {
    const { index, key } = causeOf(causes, message, suggestion);
    const hint = suggestion === undefined ? '' : ` (did you mean ${quote(suggestion)}?)`;
    const place = [describe(record), ...field].join(' ');
    list.add({ index, kind: 'type', key, field: [], message: `${place} no longer fits: ${message}${hint}` });
  };
  const checkOther = createTypeCheck(types, nearest, report);
  for (const record of typedRecordsOf(after)) {
    if (changed.indexOf(record.kind, entityKey(record)) === undefined) checkOther({ record, index: -1 });
  }
}

/** The change of the type that the message speaks of, or else the first. */
function causeOf(causes: readonly Cause[], message: string, suggestion: string | undefined): Cause {
  const cause =
    causes.find(({ key }) => message.includes(quote(key))) ?? causes.find(({ key }) => key === suggestion) ?? causes[0];
  return cause as Cause;
}

/** Every record that types speak of; of the bindings at one scope one, because nothing else of them matters. */
function* typedRecordsOf(snapshot: Snapshot): Generator<EntityRecord, void> {
  const { names, bindingsAt } = snapshot;
  for (let node = 0; node < names.nodeCount; node++) {
    const [binding] = itemsOf(at(bindingsAt, node), 1);
    if (binding !== undefined) yield toBindingRecord(binding, names);
  }
  for (const record of recordsOf({ ...snapshot, bindingsOf: emptyPaged(), groupsOf: emptyPaged() })) yield record;
}

function describe(record: EntityRecord): string {
  return record.kind === 'binding' ? `binding ${entityKey(record)}` : `${record.kind} ${plain(entityKey(record))}`;
}
