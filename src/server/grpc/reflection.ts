/**
 * Server reflection, v1 and v1alpha, from the descriptors inside the generated
 * code: what grpcurl and its like ask for. No proto file of ours is read at run time.
 */
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** @param files Files that define services; the files that they import come along. */
export function addReflection(registrar: Pick<Server, 'addService'>, files: readonly DescFile[]): void {
  const all = new Map<string, Buffer>();
  const visit = (file: DescFile) => {
    if (all.has(file.name)) return;
    all.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
    file.dependencies.forEach(visit);
  };
  files.forEach(visit);
  // The one thing that the library reads of a package definition.
  const fileDescriptorProtos = [...all.values()];
  const format = 'Protocol Buffer 3 EnumDescriptorProto';
  new ReflectionService({ postern: { format, type: {}, fileDescriptorProtos } }).addToServer(registrar);
}
