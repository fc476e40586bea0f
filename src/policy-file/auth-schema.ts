/**
 * The shape of the file that says who may administer, once: it checks what is read. What a schema cannot say (names
 * that are legal, keys that may be trusted) is said by src/authn, which reads the file.
 */
import * as z from 'zod';
import { instant } from './schema.ts';

const subject = z.string().describe('Who signs in: "user:alice", "service:ci".');
const operator = z.boolean().optional().describe('true: may do whatever is valid, locked bindings included.');
const tenants = z.array(z.string()).min(1).optional().describe('Only these tenants; left out, all.');
const note = z.string().optional().describe('For people: who holds it, and what for.');

const token = z
  .strictObject({
    // Any value: what is wrong with it is said by code that never quotes it, because it may be the token itself.
    sha256: z.unknown().describe('SHA-256 of the token, 64 hexadecimal digits; `postern token` makes both.'),
    subject,
    operator,
    expires_at: instant.optional().describe('The token is refused from this instant on.'),
    tenants,
    note,
  })
  .meta({ id: 'token', description: 'A bearer token, kept as its hash.' });

const issuer = z
  .strictObject({
    issuer: z.string().min(1).describe('What the "iss" claim says, exactly.'),
    audience: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe('What the "aud" claim must hold, or one of these.'),
    jwks: z.string().min(1).describe('The key set: an https URL, or a file, relative to this one.'),
    subject: z
      .strictObject({
        type: z.string().describe('The type of the subject.'),
        claim: z.string().min(1).describe('The claim that holds its id.'),
      })
      .describe('{ type: user, claim: sub } makes user:<sub>.'),
    algorithms: z.array(z.string()).min(1).optional().describe('Signatures to accept; default RS256, ES256, EdDSA.'),
    typ: z.string().min(1).optional().describe('What the "typ" header must say; default: JWT, at+jwt or nothing.'),
    tenants,
    note,
  })
  .meta({ id: 'issuer', description: 'Whose JSON Web Tokens are accepted.' });

const certificate = z
  .strictObject({
    san_uri: z.string().min(1).optional().describe('A URI that the certificate is for: exact, or with a trailing *.'),
    san_dns: z.string().min(1).optional().describe('A DNS name that the certificate is for, exact.'),
    subject: z.union([
      subject,
      z.strictObject({
        type: z.string().describe('The type of the subject.'),
        from: z.literal('rest').describe('Its id is what the * of san_uri stands for.'),
      }),
    ]),
    operator,
    tenants,
    note,
  })
  .meta({ id: 'certificate', description: 'Whose client certificates are accepted.' });

export const authFileSchema = z
  .strictObject({
    version: z.literal(1).describe('The version of this format.'),
    tokens: z.array(token).optional().describe('Bearer tokens.'),
    jwt: z.array(issuer).optional().describe('Issuers of JSON Web Tokens.'),
    mtls: z.array(certificate).optional().describe('Client certificates; the first entry that matches counts.'),
  })
  .meta({ title: 'Postern authentication', description: 'Who may administer.' });

export type AuthFileShape = z.infer<typeof authFileSchema>;
