// Writes chains as docs/decision-log.md describes them, with nothing of the code under test, and asks the verifier about them.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { LogVerifier, type VerifyOptions } from '../../../src/decision-log/verify/log-verifier.ts';
import type { Report } from '../../../src/decision-log/verify/report.ts';
import { SealKeys } from '../../../src/decision-log/verify/seals.ts';

const startMs = Date.parse('2026-03-04T05:06:07.000Z');
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export interface SigningKey {
  readonly name: string;
  readonly privatePem: string;
  readonly publicPem: string;
}

export function makeSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    name: createHash('sha256').update(der).digest('base64url').slice(0, 16),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: createPublicKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))).export({
      type: 'spki',
      format: 'pem',
    }) as string,
  };
}

/** The lines of one chain, without newlines. */
export class ChainWriter {
  readonly lines: string[] = [];
  hash = '';
  seq = 0;
  #sealed = 0;
  #sinceSeal = 0;
  /** Since 1970, of the last line. */
  ms = startMs;
  readonly instance: string;
  readonly tenant: string;
  readonly key: SigningKey | undefined;

  constructor({
    instance = 'i-1',
    tenant = 'default',
    key,
  }: { instance?: string; tenant?: string; key?: SigningKey } = {}) {
    this.instance = instance;
    this.tenant = tenant;
    this.key = key;
  }

  #time(): string {
    this.ms += 3;
    return new Date(this.ms).toISOString();
  }

  /** Links a text, which is a line of JSON without its last brace. */
  link(body: string): string {
    this.hash = createHash('sha256')
      .update(this.hash + body, 'utf8')
      .digest('base64url');
    this.#sinceSeal++;
    const line = `${body},"hash":"${this.hash}"}`;
    this.lines.push(line);
    return line;
  }

  #mark(type: string, rest: string): string {
    const head = `{"type":"${type}","instance":${JSON.stringify(this.instance)},"time":"${this.#time()}"`;
    return `${head},"tenant":${JSON.stringify(this.tenant)},${rest}`;
  }

  /** @param lostMs For a crash; undefined where nobody knows. */
  start(
    after = 'nothing',
    log = '{"mode":"spool","sink":"files"}',
    { lostMs }: { lostMs?: number } = { lostMs: 50 },
  ): this {
    const lost = after === 'crash' && lostMs !== undefined ? `,"lost_ms":${lostMs}` : '';
    this.link(this.#mark('start', `"next":${this.seq + 1},"after":"${after}"${lost},"log":${log}`));
    return this;
  }

  decisions(count: number, subject = 'user:alice'): this {
    for (let i = 0; i < count; i++) {
      this.seq++;
      const id = `01JABCDEFGHJKMNP${[...String(this.seq).padStart(10, '0')].map((digit) => alphabet[Number(digit)]).join('')}`;
      const head = `{"id":"${id}","instance":${JSON.stringify(this.instance)},"seq":${this.seq},"time":"${this.#time()}"`;
      const asked = `"tenant":${JSON.stringify(this.tenant)},"subject":${JSON.stringify(subject)},"action":"read","object":"doc:${this.seq}"`;
      this.link(
        `${head},${asked},"allowed":true,"reason":"ALLOWED","revision":"e1.7","mode":"enforce","source":"check"`,
      );
    }
    return this;
  }

  gap(count: number, cause = 'buffer_full'): this {
    const first = this.seq + 1;
    this.seq += count;
    this.link(this.#mark('gap', `"first":${first},"last":${this.seq},"cause":"${cause}"`));
    return this;
  }

  /** Decisions that the sink refused: they are chained, and not in the log. */
  refused(count: number): {
    readonly first: number;
    readonly last: number;
    readonly from: string;
    readonly through: string;
  } {
    const from = this.hash;
    const first = this.seq + 1;
    this.decisions(count);
    this.lines.splice(this.lines.length - count, count);
    return { first, last: this.seq, from, through: this.hash };
  }

  bridge({ first, last, from, through }: ReturnType<ChainWriter['refused']>): this {
    const range = `"first":${first},"last":${last},"cause":"refused","from":"${from}","through":"${through}"`;
    this.link(this.#mark('gap', range));
    return this;
  }

  change(): this {
    this.seq++;
    const id = `01JABCDEFGHJKMNPC${String(this.seq).padStart(9, '0')}`;
    const head = `{"type":"change","id":"${id}","instance":${JSON.stringify(this.instance)},"seq":${this.seq},"time":"${this.#time()}"`;
    this.link(`${head},"tenant":${JSON.stringify(this.tenant)},"by":"user:root","allowed":true,"changes":[]`);
    return this;
  }

  seal(): this {
    let body = this.#mark('seal', `"first":${this.#sealed + 1},"last":${this.seq},"lines":${this.#sinceSeal}`);
    if (this.key !== undefined) {
      body += `,"key":"${this.key.name}"`;
      const signature = sign(null, Buffer.from(this.hash + body), createPrivateKey(this.key.privatePem));
      body += `,"signature":"${signature.toString('base64url')}"`;
    }
    this.link(body);
    this.#sealed = this.seq;
    this.#sinceSeal = 0;
    return this;
  }

  stop(): this {
    this.link(this.#mark('stop', `"last":${this.seq}`));
    return this;
  }
}

/** What the verifier says of whole lines, or of the bytes of a file. */
export function verify(log: readonly string[] | Buffer, options: Partial<VerifyOptions> = {}): Report {
  const bytes = Buffer.isBuffer(log) ? log : Buffer.from(log.map((line) => `${line}\n`).join(''));
  const verifier = new LogVerifier({ keys: new SealKeys([]), ...options });
  const end = bytes.lastIndexOf(0x0a) + 1;
  verifier.addLines('log', bytes.subarray(0, end), 0);
  if (end < bytes.length) verifier.addUnfinished('log', end, bytes.length - end);
  return verifier.finish();
}

/** The line that a place of a report names, from 0. */
export function lineAt(lines: readonly string[], where: string): number {
  let offset = Number(where.slice(where.lastIndexOf(':') + 1));
  let index = 0;
  while (index < lines.length && offset > 0) offset -= Buffer.byteLength(lines[index++] as string) + 1;
  return index;
}
