/**
 * How much of a failure is sent: all of it where that is little, and otherwise what fits into the trailer of a gRPC
 * call, which clients and proxies refuse beyond some 8 KB. Called for every failure, so that each transport says the
 * same. It must never pass over how many problems there are.
 */
import type { ErrorMetadata, FieldProblem } from '../model/errors.ts';

/** What a failure says, before and after. */
export interface Told {
  readonly message: string;
  readonly metadata: ErrorMetadata;
  readonly problems: readonly FieldProblem[];
}

/** Most bytes of a trailer that a failure fills, as it is sent: percent-encoded, or in base64. */
const maxBytes = 5_600;
/** What of it the message may fill, which is sent twice: as it is, and in the details. */
const maxTextBytes = 3_000;
/** Most bytes of one value of the metadata, or of one field of a problem. */
const maxValueBytes = 400;
/** Most problems that the message tells. */
const maxLines = 20;
/** Names, lengths and type URLs around the parts. */
const frameBytes = 200;
const frameOfEntry = 12;

/** The failure as it is sent: its problems in the message and as many as fit beside it, and their number. */
export function fitTrailer({ message, metadata, problems }: Told): Told {
  if (problems.length === 0 && message.length < 300 && Object.keys(metadata).length <= 3) {
    return { message, metadata: shorten(metadata), problems };
  }
  const count = problems.length === 0 ? {} : { problems: metadata.problems ?? String(problems.length) };
  const sent: ErrorMetadata = shorten({ ...metadata, ...count });
  const text = withLines(message, problems, Number(sent.problems ?? 0));
  let left = maxBytes - frameBytes - messageCost(text);
  for (const [name, value] of Object.entries(sent)) left -= entryCost(name, value);
  const fitting: FieldProblem[] = [];
  for (const problem of problems) {
    const field = cut(problem.field, maxValueBytes);
    const told = cut(problem.message, maxValueBytes);
    left -= entryCost(field, told);
    if (left < 0) break;
    fitting.push({ field, message: told });
  }
  return { message: text, metadata: sent, problems: fitting };
}

function withLines(message: string, problems: readonly FieldProblem[], count: number): string {
  let text = cut(message, maxTextBytes / 4);
  // Whoever made the message has told them, or the only one.
  const told = message.includes('\n') || (problems.length === 1 && message.includes(problems[0]?.message as string));
  if (told) return cutToCost(message);
  let lines = 0;
  for (const problem of problems.slice(0, maxLines)) {
    const line = `\n${cut(problem.field, maxValueBytes)} ${cut(problem.message, maxValueBytes)}`;
    if (messageCost(text) + messageCost(line) > maxTextBytes) break;
    text += line;
    lines++;
  }
  return lines < count ? `${text}\n... and ${count - lines} more` : text;
}

/** As much of a text as the message may fill; whole lines where there are several. */
function cutToCost(text: string): string {
  if (messageCost(text) <= maxTextBytes) return text;
  const lines = text.split('\n');
  let kept = cut(lines[0] as string, maxTextBytes / 4);
  let shown = 1;
  for (; shown < lines.length; shown++) {
    const line = `\n${cut(lines[shown] as string, maxValueBytes)}`;
    if (messageCost(kept) + messageCost(line) > maxTextBytes) break;
    kept += line;
  }
  return shown < lines.length ? `${kept}\n... and ${lines.length - shown} more lines` : kept;
}

/** Bytes of a message in the trailer: in `grpc-message`, and once more inside the details. */
function messageCost(text: string): number {
  return encodeURI(text).length + base64Cost(Buffer.byteLength(text));
}

function entryCost(name: string, value: string): number {
  return base64Cost(Buffer.byteLength(name) + Buffer.byteLength(value) + frameOfEntry);
}

function base64Cost(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

function shorten(metadata: ErrorMetadata): ErrorMetadata {
  if (Object.values(metadata).every((value) => value.length * 3 <= maxValueBytes)) return metadata;
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, cut(value, maxValueBytes)]));
}

/** At most so many bytes of the text, with an ellipsis where something is missing; well-formed whatever it was. */
function cut(text: string, bytes: number): string {
  const whole = text.toWellFormed();
  if (whole.length * 3 <= bytes || Buffer.byteLength(whole) <= bytes) return whole;
  // What is cut inside a character decodes to replacement characters, which go.
  const kept = Buffer.from(whole)
    .subarray(0, bytes - 3)
    .toString();
  return `${kept.replace(/\ufffd+$/, '')}...`;
}
