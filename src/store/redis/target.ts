/**
 * Which Redis: one server, the primary that Sentinels name, or a Cluster, all
 * written as one URL so that one option configures them. The description never
 * holds a password, nor does an error about a URL.
 */
import { PosternError } from '../../model/errors.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server; or the Sentinels; or some nodes of the Cluster. Never empty. */
  readonly nodes: readonly RedisNode[];
  /** What the Sentinels call the primary; empty for the other kinds. */
  readonly primary: string;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
}

const forms =
  'redis://[user:password@]host[:port][/db], redis+sentinel://host[:port],.../primary[/db] or ' +
  'redis+cluster://host[:port],...; with rediss for TLS';
const urlPattern = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^/@?#]+)(?:\/([^?#]*))?$/;
const nodePattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::([0-9]{1,5}))?$/;

/**
 * Parses the URL of a Redis.
 * @param field What to call it in an error: the option's name.
 * @throws PosternError INVALID_OPTION
 */
export function parseRedisUrl(url: string, field = 'redis-url'): RedisTarget {
  const match = urlPattern.exec(url);
  if (match === null) throw invalid(field, 'is not a Redis URL');
  const kind = (match[2] ?? 'single') as RedisTarget['kind'];
  const nodes = (match[4] as string).split(',').map((text) => parseNode(text, kind, field));
  if (kind === 'single' && nodes.length > 1) throw invalid(field, 'names several hosts');
  const path = (match[5] ?? '').split('/');
  const primary = kind === 'sentinel' ? (path.shift() ?? '') : '';
  if (kind === 'sentinel' && primary === '') throw invalid(field, 'does not name the primary after the Sentinels');
  const db = path[0] ?? '';
  if (path.length > 1 || !/^[0-9]{0,5}$/.test(db)) throw invalid(field, 'has a path that is not a database number');
  if (kind === 'cluster' && Number(db) !== 0) throw invalid(field, 'names a database, and a Cluster has none');
  const colon = match[3]?.indexOf(':') ?? -1;
  const [username, password] =
    colon < 0 ? [match[3], undefined] : [match[3]?.slice(0, colon), match[3]?.slice(colon + 1)];
  return {
    kind,
    nodes,
    primary: decoded(primary, field) ?? '',
    tls: match[1] === 's',
    username: decoded(username, field),
    password: decoded(password, field),
    db: Number(db),
  };
}

/** host:port, as it stands in a URL. */
export function formatNode({ host, port }: RedisNode): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The URL without credentials. */
export function describeTarget(target: RedisTarget): string {
  const scheme = `redis${target.tls ? 's' : ''}${target.kind === 'single' ? '' : `+${target.kind}`}`;
  const nodes = target.nodes.map(formatNode);
  const path = [target.primary, target.kind === 'cluster' ? '' : String(target.db)].filter((part) => part !== '');
  return [`${scheme}://${nodes.join(',')}`, ...path].join('/');
}

function parseNode(text: string, kind: RedisTarget['kind'], field: string): RedisNode {
  const match = nodePattern.exec(text);
  const port = Number(match?.[3] ?? (kind === 'sentinel' ? 26379 : 6379));
  if (match === null || port < 1 || port > 65535) throw invalid(field, 'has a host that is not host[:port]');
  return { host: (match[1] ?? match[2]) as string, port };
}

function decoded(text: string | undefined, field: string): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(field, 'holds a % that does not begin an escape such as %40');
  }
}

function invalid(field: string, problem: string): PosternError {
  return new PosternError('INVALID_OPTION', `${field} ${problem}; write ${forms}`, { field });
}
