/** A grpc-js client of DecisionService with protobuf-es messages: the other side of the wire, by other code than ours. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { anyIs, anyUnpack } from '@bufbuild/protobuf/wkt';
import { type CallOptions, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type ErrorInfo, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from '../../src/gen/google/rpc/status_pb.ts';

const asIs = (bytes: Buffer) => bytes;

export function createGrpcClient(target: string): Client {
  return new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
}

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

export function encoded<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, message)));
}

/** Asks once; rejects with the ServiceError. */
export async function unary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethod & { readonly input: I; readonly output: O },
  message: MessageInitShape<I>,
  headers: Readonly<Record<string, string>> = {},
  options: CallOptions = {},
): Promise<MessageShape<O>> {
  const answer = await unaryBytes(client, pathOf(method), encoded(method.input, message), headers, options);
  return fromBinary(method.output, answer);
}

export function unaryBytes(
  client: Client,
  path: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
  options: CallOptions = {},
): Promise<Buffer> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, bytes, metadata, options, (error, answer) => {
      if (error) reject(error);
      else resolve(answer as Buffer);
    });
  });
}

/** Every message of a server stream. */
export async function serverStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethod & { readonly input: I; readonly output: O },
  message: MessageInitShape<I>,
  options: CallOptions = {},
): Promise<MessageShape<O>[]> {
  const bytes = encoded(method.input, message);
  const call = client.makeServerStreamRequest(pathOf(method), asIs, asIs, bytes, new Metadata(), options);
  const answers: MessageShape<O>[] = [];
  for await (const part of call) answers.push(fromBinary(method.output, part as Buffer));
  return answers;
}

/** The google.rpc.ErrorInfo in the trailer of an error; fails where there is not exactly one, and but for RetryInfo nothing else. */
export function errorInfoOf(error: ServiceError): ErrorInfo {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) throw new Error('no details in the trailer');
  const status = fromBinary(StatusSchema, bytes);
  if (status.code !== error.code || status.message !== error.details)
    throw new Error('the details are of another error');
  const [detail, ...others] = status.details.filter((one) => !anyIs(one, RetryInfoSchema));
  const info = detail === undefined ? undefined : anyUnpack(detail, ErrorInfoSchema);
  if (info === undefined || others.length > 0) throw new Error('not exactly one ErrorInfo');
  return info;
}
