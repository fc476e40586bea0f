/**
 * The health watches and reflection streams that are open. Their libraries never
 * end them, and a drain must not wait for calls that would last for ever.
 */
import type { Server, UntypedServiceImplementation } from '@grpc/grpc-js';

interface LongCall {
  end(): void;
  once(event: 'close' | 'cancelled', listener: () => void): unknown;
}

export interface LongCalls {
  /** A stand-in for the server, for a library that adds its service: notes every streaming call. */
  readonly registrar: Pick<Server, 'addService'>;
  /** Ends them all with status OK. */
  end(): void;
}

export function createLongCalls(server: Server): LongCalls {
  const open = new Set<LongCall>();
  const registrar: Pick<Server, 'addService'> = {
    addService(definition, implementation) {
      const noted: UntypedServiceImplementation = { ...implementation };
      for (const [name, method] of Object.entries(definition)) {
        const handler = implementation[name] ?? implementation[method.originalName ?? ''];
        if (!method.responseStream || handler === undefined) continue;
        const key = implementation[name] === undefined ? (method.originalName ?? name) : name;
        noted[key] = (call: LongCall, ...rest: unknown[]) => {
          open.add(call);
          const forget = () => open.delete(call);
          call.once('close', forget);
          call.once('cancelled', forget);
          return Reflect.apply(handler, implementation, [call, ...rest]);
        };
      }
      server.addService(definition, noted);
    },
  };
  const end = () => {
    for (const call of open) call.end();
    open.clear();
  };
  return { registrar, end };
}
