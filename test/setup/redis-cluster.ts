// A Cluster of real processes of a test, quick to notice and to act. Called by test files. The processes are
// redis-server.ts's, and end as those do.
import { asAdmin, untilTrue } from './redis-admin.ts';
import { type RedisOptions, type RedisServer, startRedis } from './redis-server.ts';

export interface ClusterOptions {
  /** Default 3, the least that can agree that one is gone. */
  readonly masters?: number;
  /** Whether each master has a replica. Default false. */
  readonly replicas?: boolean;
  /** For every node. */
  readonly server?: RedisOptions;
}

export interface RedisCluster {
  /** In Postern's form: every node. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** The node that holds a key now, or a hash tag such as "{acme}". */
  masterOf(key: string): Promise<RedisServer>;
  /** The node that copies a master; undefined where it has none. */
  replicaOf(master: RedisServer): Promise<RedisServer | undefined>;
  /** Has the replica of a master take its place while the master lives, and waits until every node says so. */
  failOver(master: RedisServer): Promise<RedisServer>;
  /** Waits until another node than this holds the key, for example after `kill()`. */
  untilMasterOfIsNot(key: string, node: RedisServer): Promise<RedisServer>;
  /** Waits until every node that runs finds the Cluster in order, and every replica has all that its master has. */
  untilInOrder(): Promise<void>;
  stop(): Promise<void>;
}

const slots = 16_384;
const nodeTimeoutMs = 500;
/** A node that says nothing for so long is passed over when all are asked. */
const frozenMs = 500;

/** Takes some 2 seconds: a node waits for so long before it believes that it is a master. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = false, server = {} } = options;
  const config = {
    'cluster-enabled': 'yes',
    'cluster-announce-ip': '127.0.0.1',
    'cluster-node-timeout': String(nodeTimeoutMs),
    'cluster-replica-validity-factor': '0',
    'repl-diskless-sync-delay': '0',
    ...server.config,
  };
  const started: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(started.map((each) => each.stop()));
  };
  const start = async () => {
    const one = await startRedis({ ...server, config });
    started.push(one);
    return one;
  };
  try {
    const nodes = await Promise.all(Array.from({ length: replicas ? masters * 2 : masters }, start));
    await join(nodes, masters);
    const cluster = toCluster(nodes, stop);
    await cluster.untilInOrder();
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function join(nodes: readonly RedisServer[], masters: number): Promise<void> {
  const first = nodes[0] as RedisServer;
  // Of all before the first meets another: it is refused where a node knows one.
  await Promise.all(
    nodes.map(({ url }, i) => asAdmin(url, (admin) => admin.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)))),
  );
  await Promise.all(
    nodes.map((node, i) =>
      asAdmin(node.url, async (admin) => {
        if (node !== first) await admin.cluster('MEET', '127.0.0.1', first.port);
        if (i >= masters) return;
        const from = Math.ceil((slots * i) / masters);
        const to = Math.ceil((slots * (i + 1)) / masters);
        await admin.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, at) => from + at));
      }),
    ),
  );
  await Promise.all(
    nodes.map(async (node, i) => {
      await untilTrue(`node ${node.port} knows all`, async () => (await linesOf(node)).length === nodes.length);
      if (i < masters) return;
      const master = nodes[i - masters] as RedisServer;
      const id = await asAdmin(master.url, (admin) => admin.cluster('MYID'));
      await untilTrue(`node ${node.port} is a replica`, () =>
        asAdmin(node.url, async (admin) => (await admin.cluster('REPLICATE', id)) === 'OK'),
      );
    }),
  );
}

function toCluster(nodes: readonly RedisServer[], stop: () => Promise<void>): RedisCluster {
  /** What every node that answers says; a node that is down or frozen says nothing. */
  const views = async () => {
    const answers = await Promise.allSettled(nodes.map(async (node) => ({ node, lines: await linesOf(node) })));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  };
  const nodeAt = (port: number | undefined) => nodes.find((node) => node.port === port);
  const masterOf = async (key: string) => {
    const seen = await views();
    const [first] = seen;
    if (first === undefined) throw new Error('no node answers');
    const slot = await asAdmin(first.node.url, (admin) => admin.cluster('KEYSLOT', key));
    const ports = new Set(seen.map(({ lines }) => holderOf(lines, slot)?.port));
    const [port] = ports;
    const found = nodeAt(port);
    if (ports.size !== 1 || found === undefined) throw new Error(`the nodes do not agree on the master of ${key}`);
    return found;
  };
  const untilMasterOfIsNot = async (key: string, old: RedisServer) => {
    let found = old;
    await untilTrue(`another master of ${key} than ${old.port}`, async () => {
      found = await masterOf(key);
      return found !== old && (await stateOf(found)) === 'ok';
    });
    return found;
  };
  const replicaOf = async (master: RedisServer) => {
    const lines = (await views())[0]?.lines ?? [];
    const id = lines.find(({ port }) => port === master.port)?.id;
    return nodeAt(lines.find(({ masterId }) => masterId === id)?.port);
  };
  return {
    url: `${nodes[0]?.url.startsWith('rediss:') ? 'rediss' : 'redis'}+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    masterOf,
    replicaOf,
    untilMasterOfIsNot,
    async failOver(master) {
      const replica = await replicaOf(master);
      if (replica === undefined) throw new Error(`node ${master.port} has no replica`);
      await untilTrue(`node ${replica.port} takes the place of ${master.port}`, async () => {
        const seen = await views();
        const isMaster = ({ lines }: (typeof seen)[number]) =>
          lines.some(({ port, masterId, ranges }) => port === replica.port && masterId === '' && ranges.length > 0);
        if (seen.every(isMaster)) return true;
        await asAdmin(replica.url, (admin) => admin.cluster('FAILOVER')).catch(() => {});
        return false;
      });
      return replica;
    },
    async untilInOrder() {
      await untilTrue('the Cluster in order', async () => {
        const seen = await views();
        const states = await Promise.all(seen.map(({ node }) => stateOf(node)));
        if (seen.length === 0 || states.some((state) => state !== 'ok')) return false;
        const links = await Promise.all(
          seen.map(({ node }) => asAdmin(node.url, (admin) => admin.info('replication'))),
        );
        return links.every((info) => info.includes('role:master') || info.includes('master_link_status:up'));
      });
    },
    stop,
  };
}

interface NodeLine {
  readonly id: string;
  readonly port: number;
  /** Empty for a master. */
  readonly masterId: string;
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

/** CLUSTER NODES: id, address@bus,host, flags, master, ping, pong, epoch, link, slots ... */
async function linesOf({ url }: RedisServer): Promise<NodeLine[]> {
  const text = String(await asAdmin(url, (admin) => admin.cluster('NODES'), frozenMs));
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.includes('handshake'))
    .map((line) => {
      const [id = '', address = '', , master = '-', , , , , ...held] = line.split(' ');
      const ranges = held.map((range) => range.split('-').map(Number)).map(([a = -1, b = a]) => [a, b] as const);
      return { id, port: Number(/:(\d+)/.exec(address)?.[1]), masterId: master === '-' ? '' : master, ranges };
    });
}

function holderOf(lines: readonly NodeLine[], slot: number): NodeLine | undefined {
  return lines.find(({ ranges }) => ranges.some(([first, last]) => first <= slot && slot <= last));
}

async function stateOf({ url }: RedisServer): Promise<string | undefined> {
  const info = await asAdmin(url, (admin) => admin.cluster('INFO'));
  return /cluster_state:(\w+)/.exec(String(info))?.[1];
}
