/** Where the keys of an issuer are: a URL, or a file. What is written, to where that is; nothing is read here. */
import { dirname, resolve } from 'node:path';

export type KeySource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

/** @param file The file that it is written in. */
export function readKeySource(written: string, file: string): KeySource | { readonly problem: string } {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(written)) return { kind: 'file', path: resolve(dirname(file), written) };
  if (!URL.canParse(written)) return { problem: 'is not a URL' };
  const url = new URL(written);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return { problem: 'must be an https URL: keys that come in the clear can be changed on their way' };
  }
  if (url.username !== '' || url.password !== '') return { problem: 'must not hold a user or a password' };
  return { kind: 'url', url: url.href };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.[0-9]+){3}$/.test(host);
}
