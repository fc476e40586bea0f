/** A gRPC server with one method, which tells what its caller shows, and the caller; for tests of TLS. */
import {
  type ChannelCredentials,
  Client,
  credentials,
  Server,
  type ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Credentials } from '../../../src/authn/identity.ts';
import { toCredentials } from '../../../src/server/grpc/credentials.ts';
import type { Certificate } from '../../authn/x509.ts';

/** A connection of its own, and by the name of the server: an address is none in TLS. */
export const channelOptions = { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'localhost' };

const path = '/test/Who';
const asIs = (bytes: Buffer) => bytes;
const asBytes = (value: Credentials) => Buffer.from(JSON.stringify(value));

export interface WhoServer {
  readonly port: number;
  close(): void;
}

export async function startWhoServer(serverCredentials: ServerCredentials): Promise<WhoServer> {
  const server = new Server();
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asBytes,
    responseDeserialize: asIs,
  };
  server.addService(
    { who: { path, requestStream: false, responseStream: false, ...codec } },
    {
      who: (call: ServerUnaryCall<Buffer, Credentials>, done: sendUnaryData<Credentials>) =>
        done(null, toCredentials(call)),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, its) => (error ? reject(error) : resolve(its)));
  });
  return { port, close: () => server.forceShutdown() };
}

/** What the server says that the caller shows, over a connection of its own. */
export function askWho(port: number, channelCredentials: ChannelCredentials): Promise<Credentials> {
  const caller = new Client(`127.0.0.1:${port}`, channelCredentials, channelOptions);
  return new Promise<Credentials>((resolve, reject) => {
    caller.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error, answer) => {
      if (error) reject(error);
      else resolve(JSON.parse(String(answer)) as Credentials);
    });
  }).finally(() => caller.close());
}

/** TLS that trusts an authority, and shows a certificate or none. */
export function channelOf(trusted: Certificate, shown: Certificate | undefined): ChannelCredentials {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(Buffer.from(trusted.cert), pem(shown?.key), pem(shown?.cert));
}
