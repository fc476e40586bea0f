/**
 * The comment at the top of an exported policy that says of which revision it is, so that an auditor can tell later
 * which graph it was. Written by `postern export`, read by `postern audit explain`. To everything else it is a comment.
 */
import type { EntityRecord } from '../model/entity.ts';
import { readPolicyText } from '../policy-file/load.ts';
import { parsePolicy } from '../policy-file/parse.ts';
import { demandPolicy } from './policy.ts';

export interface Stamp {
  readonly tenant: string;
  /** A revision token. */
  readonly revision: string;
}

export interface Stamped {
  readonly records: readonly EntityRecord[];
  /** Undefined where the file has none above all else. */
  readonly stamp: Stamp | undefined;
}

const pattern = /^# tenant (\S+) at revision (\S+)$/m;

/** A policy with its stamp above it. */
export function* withStamp({ tenant, revision }: Stamp, policy: Iterable<string>): Generator<string, void> {
  yield `# tenant ${tenant} at revision ${revision}\n`;
  yield* policy;
}

/** @throws PosternError INVALID_POLICY */
export async function readStamped(path: string): Promise<Stamped> {
  const read = await readPolicyText(path);
  const { records } = demandPolicy(read.ok ? parsePolicy(read.text, path) : read, path);
  const [, tenant, revision] = (read.ok && pattern.exec(commentsAbove(read.text))) || [];
  return { records, stamp: tenant === undefined || revision === undefined ? undefined : { tenant, revision } };
}

function commentsAbove(text: string): string {
  return /^(?:#.*\r?\n|\r?\n)*/.exec(text)?.[0].replaceAll('\r', '') ?? '';
}
