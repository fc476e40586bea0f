/**
 * Checks the signatures of seals: that the holder of a key attests the lines up
 * to there. Without a public key nothing can be checked, and a seal shows only
 * that the chain is whole. Called by the verifiers of chains.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { messageOf, PosternError } from '../../model/errors.ts';
import { nameOfKey } from '../key-name.ts';
import type { SealRecord } from '../record.ts';
import type { Findings } from './findings.ts';
import type { Line } from './line.ts';
import type { ProblemKind } from './report.ts';
import type { Seen } from './run.ts';

const signatureKey = ',"signature":';

export class SealKeys {
  readonly #keys = new Map<string, KeyObject>();

  /**
   * @param files Public keys in PEM, with the name of the file for messages.
   * @throws PosternError INVALID_OPTION
   */
  constructor(files: readonly { readonly path: string; readonly pem: string }[]) {
    for (const { path, pem } of files) {
      const key = readPublicKey(path, pem);
      this.#keys.set(nameOfKey(key), key);
    }
  }

  /** Whether any key was given. */
  get isGiven(): boolean {
    return this.#keys.size > 0;
  }

  has(name: string): boolean {
    return this.#keys.has(name);
  }

  /**
   * What is wrong with a seal.
   * @param previous The hash of the line before it.
   * @param isExpected Whether earlier seals of the chain were signed.
   */
  check(
    line: Line,
    { key, signature }: SealRecord,
    previous: string,
    isExpected: boolean,
  ): { readonly kind: ProblemKind; readonly found: string } | undefined {
    if (key === undefined || signature === undefined) {
      if (!isExpected && !this.isGiven) return undefined;
      return { kind: 'unsigned', found: isExpected ? 'is not signed, and earlier seals are' : 'is not signed' };
    }
    if (!this.isGiven) return undefined;
    const known = this.#keys.get(key);
    if (known === undefined) return { kind: 'unknown_key', found: `is signed by key ${key}, which was not given` };
    const text = line.bytes.subarray(line.start, line.end);
    const signed = Buffer.concat([Buffer.from(previous), text.subarray(0, text.lastIndexOf(signatureKey))]);
    if (verify(null, signed, known, Buffer.from(signature, 'base64url'))) return undefined;
    return { kind: 'signature', found: `has a signature that is not that of key ${key}` };
  }
}

/** The seals of one chain, in their order. */
export class SealCheck {
  readonly keys: SealKeys;
  readonly #findings: Findings;
  #isSigned = false;

  constructor(keys: SealKeys, findings: Findings) {
    this.keys = keys;
    this.#findings = findings;
  }

  /** @param previous The hash of the line before it; undefined where that is not known. */
  take(line: Line, record: SealRecord, previous: string | undefined): void {
    const wrong = previous === undefined ? undefined : this.keys.check(line, record, previous, this.#isSigned);
    if (wrong !== undefined) this.#findings.tell(line, wrong.kind, wrong.found);
    if (record.signature !== undefined) this.#isSigned = true;
  }

  /** @param first The first line of the chain. */
  end(first: Seen): void {
    if (!this.keys.isGiven || this.#isSigned) return;
    this.#findings.add(first.ordinal, this.#findings.of(first, 'unsigned', 'begins a chain without a signed seal'));
  }
}

function readPublicKey(path: string, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    throw wrong(path, messageOf(error));
  }
  if (key.asymmetricKeyType !== 'ed25519') throw wrong(path, `it is of kind ${key.asymmetricKeyType}`);
  return key;
}

function wrong(path: string, problem: string): PosternError {
  const message = `--public-key ${path} is no public Ed25519 key in PEM: ${problem}`;
  return new PosternError('INVALID_OPTION', message, { field: '--public-key' });
}
