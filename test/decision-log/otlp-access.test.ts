// How the OTLP sink reaches a collector, from the options as they are written: files, TLS, and what is said of mistakes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOtlpSink } from '../../src/decision-log/sinks/otlp.ts';
import { parseHeaders, readOtlpAccess } from '../../src/decision-log/sinks/otlp-access.ts';
import { createCertificate } from '../authn/x509.ts';
import { type Collector, startCollector } from '../setup/otlp-collector.ts';

const batch = { tenant: 'default', parts: ['{"seq":1}\n'], records: 1 };
const authority = createCertificate({ name: 'authority' });
const server = createCertificate({ name: 'collector', issuer: authority, sanDns: ['localhost'] });
let directory: string;
let collector: Collector;
const at = (name: string) => join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-otlp-'));
  collector = await startCollector({ key: server.key, cert: server.cert });
  await writeFile(at('ca.pem'), authority.cert);
});
afterEach(async () => {
  await collector.stop();
  await rm(directory, { recursive: true, force: true });
});

async function write(settings: Omit<Parameters<typeof readOtlpAccess>[0], 'instance' | 'decisionLogOtlpUrl'>) {
  const sink = createOtlpSink(readOtlpAccess({ instance: 'i-1', decisionLogOtlpUrl: collector.url.href, ...settings }));
  try {
    return await sink.write(batch);
  } finally {
    await sink.close();
  }
}

test('a collector that the named authorities vouch for is trusted, over TLS', async () => {
  expect(await write({ decisionLogOtlpCa: at('ca.pem') })).toEqual([]);
  expect(collector.records).toHaveLength(1);
});

test('a collector that nobody vouches for gets nothing', async () => {
  await expect(write({})).rejects.toThrow(/certificate/);
  expect(collector.requests).toEqual([]);
});

test('headers come from a file, which may change', async () => {
  await writeFile(at('headers'), '# of the collector\nAuthorization: Bearer old\n\nx-scope: a:b\n');
  const settings = { decisionLogOtlpCa: at('ca.pem'), decisionLogOtlpHeaders: at('headers') };
  const sink = createOtlpSink(readOtlpAccess({ instance: 'i-1', decisionLogOtlpUrl: collector.url.href, ...settings }));
  collector.answer((_, headers) => ({ status: headers.authorization === 'Bearer new' ? 200 : 401 }));
  await expect(sink.write(batch)).rejects.toThrow('answered 401');
  await writeFile(at('headers'), 'Authorization: Bearer new\r\n');
  expect(await sink.write(batch)).toEqual([]);
  await writeFile(at('headers'), 'nonsense');
  collector.answer(() => ({ status: 401 }));
  await expect(sink.write(batch)).rejects.toThrow('answered 401');
  await expect(sink.write(batch)).rejects.toThrow('line 1 is not a header');
  await sink.close();
});

test.for([
  {
    files: {},
    settings: { decisionLogOtlpCa: 'none' },
    says: /--decision-log-otlp-ca .*none cannot be read: there is no such file/,
  },
  { files: { ca: 'x' }, settings: { decisionLogOtlpCa: 'ca' }, says: /--decision-log-otlp-ca .*ca cannot be used: / },
  {
    files: { headers: 'a: 1\nsecret' },
    settings: { decisionLogOtlpHeaders: 'headers' },
    says: /--decision-log-otlp-headers .*headers cannot be used: line 2 is not a header; write name: value$/,
  },
] as { files: Record<string, string>; settings: Record<string, string>; says: RegExp }[])(
  'a file that cannot be used ends the start: $says',
  async ({ files, settings, says }) => {
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
    const written = Object.fromEntries(Object.entries(settings).map(([key, name]) => [key, at(name)]));
    const read = () => readOtlpAccess({ instance: 'i-1', decisionLogOtlpUrl: 'https://localhost/v1/logs', ...written });
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(says) }));
  },
);

test.for([
  { text: 'bad name: 1', says: 'line 1 has a name or a value that HTTP does not allow' },
  { text: '\nname: s\u0001cret', says: 'line 2 has a name or a value that HTTP does not allow' },
  { text: ': value', says: 'line 1 is not a header' },
  { text: 'Content-Type: text/plain', says: 'line 1 sets content-type, which Postern sets itself' },
])('a header that cannot be sent is told by its line, without it: $says', ({ text, says }) => {
  expect(() => parseHeaders(text)).toThrow(says);
});
