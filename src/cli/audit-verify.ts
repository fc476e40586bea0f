/**
 * What `postern audit verify` does: reads all lines of the sources once, and prints what was found. The exit code is
 * 0 where everything is in order, and never where there was nothing to verify.
 */
import { readFile } from 'node:fs/promises';
import { type Expected, LogVerifier } from '../decision-log/verify/log-verifier.ts';
import type { Report } from '../decision-log/verify/report.ts';
import { SealKeys } from '../decision-log/verify/seals.ts';
import { messageOf, PosternError } from '../model/errors.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import { readManifests } from './export-manifest.ts';
import { type LogSources, verifySources } from './log-sources.ts';
import { coloursOf, note, print, printJson } from './output.ts';
import { describeReport } from './report-words.ts';

export interface VerifyRequest {
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
  readonly instance?: string;
  readonly publicKey?: readonly string[];
  readonly expectLast?: readonly Expected[];
  readonly json?: true;
}

/** @throws PosternError INVALID_OPTION, STORE_UNAVAILABLE */
export async function verifyLog(sources: LogSources, request: VerifyRequest): Promise<ExitCode> {
  const { since, expectLast = [], publicKey = [] } = request;
  const keys = new SealKeys(await Promise.all(publicKey.map(readKey)));
  const manifests = await readManifests(sources.paths);
  const isPart = since !== undefined || request.until !== undefined || request.instance !== undefined;
  const verifier = new LogVerifier({
    keys,
    ...rangeOf(request, sources),
    // Of a part of an export, its end is not expected.
    expected: [...expectLast, ...(isPart || sources.tenants !== undefined ? [] : manifests.expected)],
    previous: manifests.previous,
  });
  const ending = new AbortController();
  process.once('SIGINT', () => ending.abort());
  await verifySources(verifier, sources, since, { signal: ending.signal });
  if (ending.signal.aborted) {
    note(`interrupted after ${verifier.lines} lines`);
    return exitCodes.interrupted;
  }
  const report = verifier.finish();
  checkExpected(expectLast, report);
  if (request.json) printJson(report);
  else for (const line of describeReport(report, coloursOf(process.stdout), keys.isGiven)) print(line);
  return report.ok ? exitCodes.ok : exitCodes.no;
}

/** What a verifier is told of the range. */
export function rangeOf(
  { since, until, instance }: Pick<VerifyRequest, 'since' | 'until' | 'instance'>,
  { tenants }: Pick<LogSources, 'tenants'>,
) {
  return {
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    ...(instance === undefined ? {} : { instance }),
    ...(tenants === undefined ? {} : { tenants }),
  };
}

async function readKey(path: string) {
  try {
    return { path, pem: await readFile(path, 'utf8') };
  } catch (error) {
    throw new PosternError('INVALID_OPTION', `--public-key ${path} cannot be read: ${messageOf(error)}`, {
      field: '--public-key',
    });
  }
}

/** A number alone says nothing where several instances count. */
function checkExpected(expected: readonly Expected[], { chains }: Report): void {
  const bare = expected.find(({ instance, hash }) => instance === undefined && hash === undefined);
  if (bare === undefined || chains.length < 2) return;
  const message = `--expect-last ${bare.seq} does not say of which of ${chains.length} chains; write instance=${bare.seq}`;
  throw new PosternError('INVALID_OPTION', message, { field: '--expect-last' });
}
