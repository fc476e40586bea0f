/**
 * X.509 certificates for tests, made when they are needed: no key lies in the repository. Node can sign and read
 * certificates, but not write them; this is as much DER (X.690) and profile (RFC 5280) as that takes.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

export interface CertificateRequest {
  readonly name: string;
  /** Undefined signs itself, as an authority. */
  readonly issuer?: Certificate;
  readonly sanUris?: readonly string[];
  readonly sanDns?: readonly string[];
  /** Addresses of version 4. Default 127.0.0.1, where the servers of tests are. */
  readonly sanIps?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const sequenceTag = 0x30;
const ecdsaWithSha256 = tlv(sequenceTag, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const hourMs = 3_600_000;
let serial = 1;

export function createCertificate(request: CertificateRequest): Certificate {
  const { name, issuer, sanUris = [], sanDns = [], sanIps = ['127.0.0.1'] } = request;
  const { notBefore = new Date(Date.now() - hourMs), notAfter = new Date(Date.now() + hourMs) } = request;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = [
    ...sanDns.map((dns) => tlv(0x82, Buffer.from(dns, 'latin1'))),
    ...sanUris.map((uri) => tlv(0x86, Buffer.from(uri, 'latin1'))),
    ...sanIps.map((ip) => tlv(0x87, Buffer.from(ip.split('.').map(Number)))),
  ];
  const isAuthority = tlv(sequenceTag, issuer === undefined ? tlv(0x01, Buffer.from([0xff])) : Buffer.alloc(0));
  const extensions = tlv(
    sequenceTag,
    extension(0x13, isAuthority),
    ...(issuer === undefined ? [] : [extension(0x11, tlv(sequenceTag, ...names))]),
  );
  serial += 1;
  const signed = tlv(
    sequenceTag,
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from([0x01, serial >> 8, serial & 0xff])),
    ecdsaWithSha256,
    distinguishedName(issuer?.name ?? name),
    tlv(sequenceTag, time(notBefore), time(notAfter)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const signature = sign('sha256', signed, issuer?.privateKey ?? privateKey);
  const der = tlv(sequenceTag, signed, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  const cert = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), name, privateKey };
}

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

/** The encoded arcs, as they stand in the standards. */
function oid(...bytes: readonly number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes));
}

/** One of id-ce (2.5.29). */
function extension(arc: number, value: Buffer): Buffer {
  return tlv(sequenceTag, oid(0x55, 0x1d, arc), tlv(0x04, value));
}

function distinguishedName(commonName: string): Buffer {
  const attribute = tlv(sequenceTag, oid(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from(commonName)));
  return tlv(sequenceTag, tlv(0x31, attribute));
}

/** GeneralizedTime: UTC, without fractions. */
function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, ''), 'latin1'));
}
