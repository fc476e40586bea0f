/** The name of a key that signs seals: made from its public half, so that an auditor finds the right one. */
import { createHash, type KeyObject } from 'node:crypto';

const nameLength = 16;

/** The first characters of the SHA-256 of the public key, in base64url. */
export function nameOfKey(publicKey: KeyObject): string {
  const bytes = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(bytes).digest('base64url').slice(0, nameLength);
}
