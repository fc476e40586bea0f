/**
 * The plain shapes between the wire and the PDP: what was asked, and what is
 * answered. Codecs make and read them; services pass them through. No transport
 * and no generated code is known here.
 */
import type { SubjectQuestion } from '../engine/list-subjects.ts';
import type { Mode } from '../model/entity.ts';
import { PosternError } from '../model/errors.ts';
import { maxBatchChecks } from '../model/limits.ts';
import type { Decision, Query, Reach } from '../model/query.ts';
import type { Page } from '../pdp/view.ts';

/** What every question says about the graph that is to answer it. */
export interface Asked {
  readonly tenant: string;
  /** Revision token, or empty. */
  readonly atLeast: string;
}

export interface CheckQuestion extends Asked {
  readonly query: Query;
}

export type BatchMode = 'each' | 'all-of' | 'any-of';

export interface BatchQuestion extends Asked {
  readonly queries: readonly Query[];
  readonly mode: BatchMode;
}

export interface ListObjectsQuestion extends Asked {
  readonly query: Omit<Query, 'object'>;
  readonly type: string;
  readonly page: Page;
}

export interface ListSubjectsQuestion extends Asked {
  readonly query: SubjectQuestion;
  readonly type: string;
  readonly page: Page;
}

export interface ListActionsQuestion extends Asked {
  readonly query: Omit<Query, 'action'>;
}

export interface CheckAnswer {
  readonly decision: Decision;
  readonly revision: string;
  readonly mode: Mode;
  readonly dataAgeMs: number;
}

export interface BatchAnswer {
  readonly decisions: readonly Decision[];
  /** The sum where the mode asks for one; otherwise false. */
  readonly allowed: boolean;
  readonly revision: string;
  readonly mode: Mode;
  readonly dataAgeMs: number;
}

/** One message of ListObjects. What is about the whole is filled in the first only. */
export interface ObjectsPart {
  readonly objects: readonly string[];
  readonly scopes: readonly string[];
  readonly decisionId: string;
  readonly revision: string;
  readonly mode: Mode | undefined;
  readonly nextPageToken: string;
  readonly dataAgeMs: number;
}

/** A query whose fields are still being read. The one place that fixes the shape of a query object. */
export type QueryDraft = { -readonly [Field in keyof Query]: Query[Field] };

const noGroups: readonly string[] = [];

export function createQuery(subject = '', action = '', object = ''): QueryDraft {
  return {
    subject,
    action,
    object,
    reach: 'inherited',
    assertedGroups: noGroups,
    activeRoles: undefined,
    attributes: undefined,
  };
}

/** The reach of a wire number, or undefined for one that this version does not know. */
export function reachOf(wire: number): Reach | undefined {
  return wire === 2 ? 'exact' : wire === 0 || wire === 1 ? 'inherited' : undefined;
}

/** The batch mode of a wire number, or undefined for one that this version does not know. */
export function batchModeOf(wire: number): BatchMode | undefined {
  return batchModes[wire];
}

const batchModes: readonly BatchMode[] = ['each', 'each', 'all-of', 'any-of'];

/** The error for a number that an enum does not have; never guessed, because a guess could allow. */
export function unknownEnum(field: string, wire: number): PosternError {
  return new PosternError(
    'INVALID_REQUEST',
    `${field} is ${wire}, which this version does not know; send a value that its proto lists`,
    { field },
  );
}

/**
 * The error for a field that this version does not know: it could be one that narrows the question, as roles that are
 * active do, and an answer to less than what was asked could allow.
 * @param prefix Of the message that holds it, with a dot at its end; empty for a request.
 */
export function unknownField(prefix: string, number: number): PosternError {
  const field = prefix.replace(/\.$/, '');
  const where = field === '' ? 'the request' : field;
  return new PosternError(
    'INVALID_REQUEST',
    `${where} holds field number ${number}, which this version does not know; leave it out, or upgrade the sidecar`,
    { field },
  );
}

const prefixes: string[] = [];

/** "checks[3]." for 3: the path of a batch item, in front of a field's name. */
export function itemPrefix(index: number): string {
  const known = prefixes[index];
  if (known !== undefined) return known;
  // Kept, because building it costs as much as reading a field, for every item of every batch.
  const prefix = `checks[${index}].`;
  prefixes[index] = prefix;
  return prefix;
}

/** @throws PosternError INVALID_REQUEST for an empty batch, TOO_MANY_CHECKS for one over the limit. */
export function assertBatchSize(size: number): void {
  if (size === 0) {
    throw new PosternError('INVALID_REQUEST', 'checks is empty; send at least one check', { field: 'checks' });
  }
  if (size > maxBatchChecks) {
    throw new PosternError('TOO_MANY_CHECKS', `checks holds more than ${maxBatchChecks}; split the batch`, {
      field: 'checks',
      limit: String(maxBatchChecks),
    });
  }
}
