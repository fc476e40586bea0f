/**
 * How the collector is reached, from what an operator writes: the address, and files for what does not belong into
 * options. Called by the sidecar at start. Headers are read again after a collector did not accept them, so that a
 * token may be renewed in place; no message holds what is in the file.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type OutgoingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';
import { messageOf, PosternError } from '../../model/errors.ts';
import { explainFileError } from '../../policy-file/load.ts';
import type { OtlpSinkOptions } from './otlp.ts';

/** The options of config/sink-options.ts, as they were written. */
export interface OtlpSettings {
  readonly instance: string;
  readonly decisionLogOtlpUrl: string;
  readonly decisionLogOtlpHeaders?: string | undefined;
  readonly decisionLogOtlpCa?: string | undefined;
}

/** Set by the sink itself, or by what carries the request. */
const ownHeaders = new Set(['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection']);

/** @throws PosternError INVALID_OPTION, naming the option whose file is wrong */
export function readOtlpAccess(settings: OtlpSettings): OtlpSinkOptions {
  const { instance, decisionLogOtlpUrl, decisionLogOtlpHeaders: path, decisionLogOtlpCa: caPath } = settings;
  const url = new URL(decisionLogOtlpUrl);
  const ca = caPath === undefined ? undefined : read('decision-log-otlp-ca', caPath, (text) => checkedCa(text));
  if (path === undefined) return { url, instance, ca };
  read('decision-log-otlp-headers', path, parseHeaders);
  return { url, instance, ca, headers: async () => parseHeaders(await readFile(path, 'utf8')) };
}

/**
 * Lines of `name: value`; empty ones and those that begin with # are left out.
 * @throws Error that says which line is wrong, without the line
 */
export function parseHeaders(text: string): OutgoingHttpHeaders {
  const headers: Record<string, string> = {};
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const where = `line ${index + 1}`;
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`${where} is not a header; write name: value`);
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new Error(`${where} has a name or a value that HTTP does not allow`);
    }
    if (ownHeaders.has(name)) throw new Error(`${where} sets ${name}, which Postern sets itself`);
    headers[name] = value;
  }
  return headers;
}

function checkedCa(text: string): string {
  new X509Certificate(text);
  return text;
}

function read<T>(option: string, path: string, use: (text: string) => T): T {
  const wrong = (problem: string, cause: unknown) =>
    new PosternError('INVALID_OPTION', `--${option} ${path} ${problem}`, { field: `--${option}` }, cause);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong(`cannot be read: ${explainFileError(error)}`, error);
  }
  try {
    return use(text);
  } catch (error) {
    throw wrong(`cannot be used: ${messageOf(error)}`, error);
  }
}
