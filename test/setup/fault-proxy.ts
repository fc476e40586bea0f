// A TCP proxy before a server of a test, with the faults of a network: slow, cut, refusing, silent.
// Called by test files. It lives in the test's own process and ends with it. It must never change a byte.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface FaultProxy {
  readonly port: number;
  /** Connections that stand, both ends. */
  connections(): number;
  /** Connections that were accepted since the start. */
  accepted(): number;
  /** Everything arrives so much later, in either direction; 0 ends it. */
  delay(ms: number): void;
  /** Ends every connection: `reset` as a crash or a firewall does (RST), `end` as an orderly server does (FIN). */
  cut(how: 'reset' | 'end'): void;
  /** New connections are refused until `restore()`; the ones that stand go on. */
  refuse(): Promise<void>;
  /**
   * Connections stay open, new ones are accepted, and nothing passes, as where the way to a machine is gone: no FIN
   * says so. With `restore()` what was sent meanwhile arrives, as TCP does.
   */
  silence(): void;
  /** Nothing passes any more over the connections that stand, as where a firewall forgot them; new ones work. */
  strand(): void;
  /** Ends `delay`, `refuse` and `silence`. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

interface Pipe {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** Forwards to a port of this machine. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const pipes = new Set<Pipe>();
  let delayMs = 0;
  let silent = false;
  let accepted = 0;

  const stranded = new WeakSet<Socket>();
  const flow = (socket: Socket) => (silent || stranded.has(socket) ? socket.pause() : socket.resume());
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      if (delayMs === 0) to.write(bytes);
      else setTimeout(() => to.destroyed || to.write(bytes), delayMs).unref();
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
  };
  const onConnection = (client: Socket) => {
    accepted++;
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pipe = { client, upstream };
    pipes.add(pipe);
    forward(client, upstream);
    forward(upstream, client);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        pipes.delete(pipe);
      });
      flow(socket);
    }
  };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true }, onConnection).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | undefined = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
  const { port } = address;
  const stopListening = async () => {
    const closing = server;
    server = undefined;
    // Its connections go on, so that its end would be waited for in vain; the port is free at once.
    closing?.close();
  };
  const sockets = () => [...pipes].flatMap(({ client, upstream }) => [client, upstream]);
  const setSilent = (value: boolean) => {
    silent = value;
    for (const socket of sockets()) flow(socket);
  };
  const cut = (how: 'reset' | 'end') => {
    for (const socket of sockets()) how === 'reset' ? socket.resetAndDestroy() : socket.end();
  };
  return {
    port,
    connections: () => pipes.size,
    accepted: () => accepted,
    delay: (ms) => {
      delayMs = ms;
    },
    cut,
    refuse: stopListening,
    silence: () => setSilent(true),
    strand: () => {
      for (const socket of sockets()) {
        stranded.add(socket);
        flow(socket);
      }
    },
    restore: async () => {
      delayMs = 0;
      setSilent(false);
      server ??= await listen(port);
    },
    close: async () => {
      await stopListening();
      cut('reset');
    },
  };
}
