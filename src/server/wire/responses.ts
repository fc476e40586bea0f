/**
 * Encodes the answers of Check, BatchCheck, StreamCheck and ListObjects straight
 * from decisions. The bytes are those of protobuf-es; a property test compares
 * them. What is returned is valid until the next call, see Writer.
 */
import type { Decision } from '../../model/query.ts';
import type { BatchAnswer, CheckAnswer, ObjectsPart } from '../question.ts';
import { modeNumbers, reasonNumbers } from './enums.ts';
import { tag } from './reader.ts';
import { Writer } from './writer.ts';

/** The answer to one message of a stream: a decision, or a google.rpc.Status that is encoded already. */
export interface StreamAnswer {
  readonly idLow: number;
  readonly idHigh: number;
  readonly answer: CheckAnswer | undefined;
  readonly error: Uint8Array | undefined;
}

/** One for all: an answer is encoded in one go, and copied before the next one is. */
const writer = new Writer();

const field1 = tag(1, 2);
const field2 = tag(2, 2);
const field3 = tag(3, 2);
const field4 = tag(4, 2);
const field6 = tag(6, 2);
/** Tags, flags, enums and lengths of a decision and of the answer around it: more than they ever take. */
const frameBytes = 64;

export function encodeCheckResponse(answer: CheckAnswer): Buffer {
  writer.begin();
  writeCheckResponse(answer);
  return writer.finish();
}

export function encodeStreamCheckResponse(message: StreamAnswer): Buffer {
  writer.begin();
  writer.reserve(frameBytes);
  if (message.idLow !== 0 || message.idHigh !== 0) {
    writer.byte(tag(1, 0));
    writer.varint64(message.idLow, message.idHigh);
  }
  const { answer, error } = message;
  if (answer !== undefined) {
    const guess = decisionSize(answer.decision) + answer.revision.length + 8;
    writer.byte(field2);
    const start = writer.open(guess);
    writeCheckResponse(answer);
    writer.reserve(frameBytes);
    writer.close(start, guess);
  } else if (error !== undefined) {
    writer.raw(field3, error);
  }
  return writer.finish();
}

export function encodeBatchCheckResponse(answer: BatchAnswer): Buffer {
  const { decisions } = answer;
  writer.begin();
  for (let i = 0; i < decisions.length; i++) writeDecision(decisions[i]!);
  writer.reserve(frameBytes);
  if (answer.allowed) writeFlag(2);
  writer.optionalString(field3, answer.revision);
  writer.reserve(frameBytes);
  writer.byte(tag(4, 0));
  writer.byte(modeNumbers[answer.mode]);
  if (answer.dataAgeMs !== 0) writeAge(5, answer.dataAgeMs);
  return writer.finish();
}

export function encodeListObjectsResponse(part: ObjectsPart): Buffer {
  const { objects, scopes } = part;
  writer.begin();
  for (let i = 0; i < objects.length; i++) writer.string(field1, objects[i]!);
  for (let i = 0; i < scopes.length; i++) writer.string(field2, scopes[i]!);
  writer.optionalString(field3, part.decisionId);
  writer.optionalString(field4, part.revision);
  if (part.mode !== undefined) {
    writer.reserve(2);
    writer.byte(tag(5, 0));
    writer.byte(modeNumbers[part.mode]);
  }
  writer.optionalString(field6, part.nextPageToken);
  if (part.dataAgeMs !== 0) {
    writer.reserve(frameBytes);
    writeAge(7, part.dataAgeMs);
  }
  return writer.finish();
}

function writeCheckResponse(answer: CheckAnswer): void {
  writeDecision(answer.decision);
  writer.optionalString(field2, answer.revision);
  writer.reserve(frameBytes);
  writer.byte(tag(3, 0));
  writer.byte(modeNumbers[answer.mode]);
  if (answer.dataAgeMs !== 0) writeAge(4, answer.dataAgeMs);
}

/** A decision, which is field 1 wherever it stands. */
function writeDecision(decision: Decision): void {
  const guess = decisionSize(decision);
  writer.reserve(frameBytes);
  writer.byte(field1);
  const start = writer.open(guess);
  if (decision.allowed) writeFlag(1);
  writer.byte(tag(2, 0));
  writer.byte(reasonNumbers[decision.reason]);
  writer.optionalString(field3, decision.binding);
  writer.optionalString(field4, decision.decisionId);
  writer.reserve(frameBytes);
  if (decision.enforcedAllowed) writeFlag(5);
  writer.close(start, guess);
}

/** What a decision takes where all its text is ASCII and short; only a guess. */
function decisionSize(decision: Decision): number {
  return decision.binding.length + decision.decisionId.length + 10;
}

function writeAge(field: number, dataAgeMs: number): void {
  writer.byte(tag(field, 0));
  writer.varint(dataAgeMs);
}

function writeFlag(field: number): void {
  writer.byte(tag(field, 0));
  writer.byte(1);
}
