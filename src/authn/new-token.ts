/** Makes bearer tokens, and the entry of the file that makes one known. Called by `postern token`. */
import { createHash, randomBytes } from 'node:crypto';
import { formatInstant } from '../policy-file/instant.ts';
import { printText } from '../policy-file/yaml-text.ts';

export interface NewToken {
  /** 256 random bits, behind a prefix by which scanners for secrets can find it. */
  readonly token: string;
  /** The hash in hexadecimal: what the file holds. */
  readonly sha256: string;
}

export interface NewTokenEntry {
  readonly sha256: string;
  readonly subject: string;
  readonly operator: boolean;
  /** Milliseconds since 1970; undefined is never. */
  readonly expiresAt: number | undefined;
}

export function createToken(): NewToken {
  const token = `pst_${randomBytes(32).toString('base64url')}`;
  return { token, sha256: createHash('sha256').update(token).digest('hex') };
}

/** An item for `tokens:`, as YAML without a newline at the end. */
export function printTokenEntry({ sha256, subject, operator, expiresAt }: NewTokenEntry): string {
  const lines = [
    `- sha256: '${sha256}'`,
    `  subject: ${printText(subject)}`,
    ...(operator ? ['  operator: true'] : []),
    ...(expiresAt === undefined ? [] : [`  expires_at: '${formatInstant(expiresAt)}'`]),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}
