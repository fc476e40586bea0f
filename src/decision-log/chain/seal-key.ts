/**
 * Signs seals, so that whoever can write the log but does not hold the key cannot make another one that verifies.
 * Ed25519; the key's name is made from its public half, so that an auditor finds the right one.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { messageOf, PosternError } from '../../model/errors.ts';
import { nameOfKey } from '../key-name.ts';

/** Of a seal's text and the hash before it. */
export type Signer = (previousHash: string, body: string) => string;

/**
 * The text of a seal with its signature: over the hash before it, followed by its text up to the signature.
 * @param path A private key in PEM, without a passphrase.
 * @throws PosternError INVALID_OPTION where it is none, or others may read it
 */
export function readSigner(path: string): Signer {
  const key = readKey(path);
  const name = nameOfKey(createPublicKey(key));
  return (previousHash, body) => {
    const signed = `${body},"key":"${name}"`;
    return `${signed},"signature":"${sign(null, Buffer.from(previousHash + signed), key).toString('base64url')}"`;
  };
}

function readKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o007) !== 0) {
      throw new Error('anybody can read it: chmod o-rwx');
    }
    key = createPrivateKey(readFileSync(path));
  } catch (error) {
    throw wrong(path, messageOf(error));
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw wrong(path, `it is of kind ${key.asymmetricKeyType}; make one with openssl genpkey -algorithm ed25519`);
}

function wrong(path: string, problem: string): PosternError {
  const message = `--decision-log-signing-key ${path} is no Ed25519 key in PEM that can be used: ${problem}`;
  return new PosternError('INVALID_OPTION', message, { field: '--decision-log-signing-key' });
}
