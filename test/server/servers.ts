/** Real servers on free ports over a fake PDP, and clients for them; for tests of the adapters. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pdp } from '../../src/pdp/view.ts';
import { formatAddress } from '../../src/server/address.ts';
import { createGates, type GateLimits, type Gates } from '../../src/server/gates.ts';
import { type Servers, type ServersDependencies, startServers } from '../../src/server/start.ts';

export interface Logged {
  readonly fields: object;
  readonly message: string;
}

export interface RunningServers {
  readonly servers: Servers;
  /** Targets for grpc-js. */
  readonly tcp: string;
  readonly unix: string;
  /** Base URL for HTTP. */
  readonly url: string;
  readonly socketPath: string;
  readonly errors: Logged[];
  readonly gates: Gates;
  close(): Promise<void>;
}

/** Gates that refuse nothing, unless a test wants them to. */
export function openGates(limits: Partial<GateLimits> = {}): Gates {
  const open = { maxQueueDelayMs: 60_000, maxInFlight: 10_000, maxHeldBytes: 2 ** 30, maxConcurrentStreams: 4_096 };
  return createGates({ ...open, ...limits }, () => undefined);
}

/** Everything on: TCP, a Unix socket, HTTP. */
export async function runServers(
  pdp: Pdp,
  metricsText: () => string | Promise<string> = () => '',
  known: Pick<ServersDependencies, 'administration' | 'authenticate' | 'decisions'> = {},
  gates: Gates = openGates(),
): Promise<RunningServers> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-'));
  const socketPath = join(directory, 's.sock');
  const errors: Logged[] = [];
  const log = {
    info: () => undefined,
    error: (fields: object, message: string) => void errors.push({ fields, message }),
  };
  const loopback = { host: '127.0.0.1', port: 0 };
  const servers = await startServers(
    { pdp, gates, log, metricsText, ...known },
    { grpcAddress: loopback, httpAddress: loopback, socket: { path: socketPath, mode: 0o660 } },
  );
  if (servers.grpcAddress === undefined || servers.httpAddress === undefined) throw new Error('not all is listening');
  return {
    servers,
    tcp: formatAddress(servers.grpcAddress),
    unix: `unix:${socketPath}`,
    url: `http://${formatAddress(servers.httpAddress)}`,
    socketPath,
    errors,
    gates,
    async close() {
      await servers.close(0);
      await rm(directory, { recursive: true });
    },
  };
}
