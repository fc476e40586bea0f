/**
 * What `postern audit export` does: copies lines as they are to a file, and verifies them meanwhile, so that the
 * manifest beside the file says what it holds. A reader sees the old file or the whole new one, never a part.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { LogVerifier } from '../decision-log/verify/log-verifier.ts';
import { SealKeys } from '../decision-log/verify/seals.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { rangeOf } from './audit-verify.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import { type Manifest, manifestPath, readManifests } from './export-manifest.ts';
import { type LogSources, verifySources } from './log-sources.ts';
import { coloursOf, count, note, print, printJson } from './output.ts';
import { describeProblem } from './report-words.ts';

export interface ExportRequest {
  readonly out: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  readonly instance?: string;
  readonly json?: true;
}

/** The problems that are printed; the manifest counts all of them. */
const shownProblems = 5;
const newline = Buffer.from('\n');

/** @throws PosternError INVALID_OPTION where the file cannot be written, STORE_UNAVAILABLE */
export async function exportLogs(sources: LogSources, request: ExportRequest): Promise<ExitCode> {
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  const out = openCopy(request.out);
  const { previous } = await readManifests(sources.paths);
  const range = rangeOf(request, sources);
  const verifier = new LogVerifier({ keys: new SealKeys([]), ...range, previous, onLine: out.add });
  try {
    await verifySources(verifier, sources, request.since, { signal: ending.signal, afterPart: out.flush });
    if (ending.signal.aborted) {
      await out.abandon();
      note(`interrupted after ${count(verifier.lines, 'line')}; nothing was written`);
      return exitCodes.interrupted;
    }
  } catch (error) {
    await out.abandon();
    throw error;
  }
  const { problems, problemCount, chains } = verifier.finish();
  const copied = await out.close();
  const manifest: Manifest = {
    version: 1,
    file: basename(request.out),
    ...copied,
    exportedAt: new Date().toISOString(),
    ...range,
    problems: problemCount,
    chains,
  };
  await writeFile(manifestPath(request.out), `${JSON.stringify(manifest, null, 2)}\n`);
  if (request.json) printJson(manifest);
  else
    print(
      `${request.out}: ${count(copied.lines, 'line')} of ${count(chains.length, 'chain')}, SHA-256 ${copied.sha256}`,
    );
  const colours = coloursOf(process.stderr);
  for (const problem of problems.slice(0, shownProblems)) {
    for (const line of describeProblem(problem, colours)) note(line);
  }
  if (problemCount > 0) note(colours.yellow(`${count(problemCount, 'problem')} in what was copied, as it stands`));
  if (copied.lines === 0) note(colours.yellow('no record is there, in this range'));
  return exitCodes.ok;
}

interface Copy {
  /** A line, without its newline, of which the bytes are valid during the call only. */
  add(line: { readonly bytes: Buffer; readonly start: number; readonly end: number }): void;
  /** Writes what was added; resolves when there is room for more. */
  flush(): Promise<void> | undefined;
  /** Puts the file in its place. */
  close(): Promise<{ readonly sha256: string; readonly bytes: number; readonly lines: number }>;
  abandon(): Promise<void>;
}

function openCopy(path: string): Copy {
  const draft = `${path}.${process.pid}.part`;
  const hash = createHash('sha256');
  const file = createWriteStream(draft);
  const gzip = path.endsWith('.gz') ? createGzip() : undefined;
  const target: Writable = gzip ?? file;
  const failure = new AbortController();
  const fail = (error: unknown) => failure.abort(error);
  const written = gzip === undefined ? finished(file) : pipeline(gzip, file);
  written.catch(fail);
  const wrong = (error: unknown) =>
    new PosternError(
      'INVALID_OPTION',
      `--out ${path} cannot be written: ${messageOf(error)}`,
      { field: '--out' },
      error,
    );
  let parts: Buffer[] = [];
  let bytes = 0;
  let lines = 0;
  const flush = async () => {
    if (failure.signal.aborted) throw wrong(failure.signal.reason);
    const part = Buffer.concat(parts);
    parts = [];
    bytes += part.length;
    hash.update(part);
    if (part.length > 0 && !target.write(part)) {
      await once(target, 'drain', { signal: failure.signal }).catch(() => {
        throw wrong(failure.signal.reason);
      });
    }
  };
  return {
    add({ bytes: line, start, end }) {
      parts.push(Buffer.from(line.subarray(start, end)), newline);
      lines++;
    },
    flush,
    async close() {
      await flush();
      target.end();
      try {
        await written;
        await rename(draft, path);
      } catch (error) {
        await rm(draft, { force: true });
        throw wrong(error);
      }
      return { sha256: hash.digest('hex'), bytes, lines };
    },
    async abandon() {
      target.destroy();
      await written.catch(() => {});
      await rm(draft, { force: true });
    },
  };
}
