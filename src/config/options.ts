/**
 * The options of `postern serve`, one table: the type, the parser, --help and
 * docs/options.md come from it. The flag is --<key>, the environment variable
 * POSTERN_<KEY>, the key of the file <key>. Durations and sizes are written
 * with units here as everywhere.
 */

import { decisionLogOptions } from './decision-log-options.ts';
import { followingOptions } from './following-options.ts';
import { logContentOptions } from './log-content-options.ts';
import type { OptionSpec } from './option-spec.ts';
import { redisOptions } from './redis-options.ts';

export const serveOptions = [
  {
    key: 'tenant',
    kind: 'list',
    default: 'default',
    placeholder: 'name,...',
    sentence: 'The tenants to serve, * for all that Redis has, as they come and go; with --policy exactly one.',
  },
  {
    key: 'tenant-loading',
    kind: 'choice',
    choices: ['eager', 'on-demand'],
    default: 'eager',
    sentence:
      'With --tenant *: load every tenant as it is found, or each at the first question for it; those named beside * are loaded at once either way.',
  },
  {
    key: 'tenant-memory-bytes',
    kind: 'bytes',
    default: '0',
    min: '0',
    max: '1TiB',
    sentence:
      'With --tenant-loading=on-demand: how much memory tenants may take, about; beyond, those not asked for longest are let go; 0 lets none go.',
  },
  {
    key: 'policy',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Serve this policy file, and follow its changes.',
  },
  {
    key: 'redis',
    kind: 'string',
    placeholder: 'url',
    secret: true,
    sentence: 'Serve the graphs in this Redis, and follow their changes: redis://host:port, rediss:// for TLS.',
  },
  ...redisOptions,
  {
    key: 'grpc-address',
    kind: 'address',
    default: '127.0.0.1:7678',
    placeholder: 'host:port',
    sentence: 'Where gRPC listens; port 0 takes any free one.',
  },
  {
    key: 'grpc',
    kind: 'boolean',
    default: 'true',
    sentence: 'Listen for gRPC on --grpc-address; without it, only on --socket.',
  },
  {
    key: 'socket',
    kind: 'string',
    placeholder: 'path',
    sentence: 'Listen for gRPC on this Unix socket too: a third of the latency of TCP for callers on the same machine.',
  },
  {
    key: 'socket-mode',
    kind: 'permissions',
    default: '0660',
    placeholder: 'octal',
    sentence: 'Who may connect to the Unix socket, as permission bits.',
  },
  {
    key: 'http',
    kind: 'boolean',
    default: 'true',
    sentence: 'Serve JSON over HTTP, health and metrics on --http-address.',
  },
  {
    key: 'http-address',
    kind: 'address',
    default: '127.0.0.1:7679',
    placeholder: 'host:port',
    sentence: 'Where HTTP listens; port 0 takes any free one.',
  },
  {
    key: 'tls-cert',
    kind: 'string',
    placeholder: 'file',
    sentence:
      'Speak TLS on --grpc-address with this certificate and its chain (PEM), followed as it is renewed; --socket and --http-address stay plain.',
  },
  {
    key: 'tls-key',
    kind: 'string',
    placeholder: 'file',
    sentence: 'The private key of --tls-cert (PEM).',
  },
  {
    key: 'tls-client-ca',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Ask clients of --grpc-address for a certificate, and verify it by these authorities (PEM).',
  },
  {
    key: 'tls-require-client-cert',
    kind: 'boolean',
    default: 'false',
    sentence: 'Turn away clients of --grpc-address that have no certificate by --tls-client-ca.',
  },
  {
    key: 'admin-auth',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Serve PolicyService to those whom this file names, and follow its changes; without it, to nobody.',
  },
  {
    key: 'serve-decision-log',
    kind: 'boolean',
    default: 'false',
    sentence: 'Serve DecisionLogService to those of --admin-auth who may: what --decision-log=redis or file holds.',
  },
  {
    key: 'reflection',
    kind: 'boolean',
    default: 'true',
    sentence: 'Answer gRPC server reflection, which tools such as grpcurl need.',
  },
  {
    key: 'allow-asserted-groups',
    kind: 'boolean',
    default: 'false',
    sentence: 'Let callers assert groups of a subject; only where every caller may be trusted with that.',
  },
  {
    key: 'max-concurrent-streams',
    kind: 'integer',
    default: '512',
    min: '1',
    max: '65535',
    sentence: 'How many calls one connection may have open; more wait in the client.',
  },
  {
    key: 'max-in-flight',
    kind: 'integer',
    default: '1024',
    min: '1',
    max: '1000000',
    sentence:
      'How many requests may be in progress at once, of those that wait, take long or stream; more are refused (OVERLOADED).',
  },
  {
    key: 'max-held-bytes',
    kind: 'bytes',
    default: '64MiB',
    min: '1MiB',
    max: '16GiB',
    sentence: 'How much these may hold together, by the size of what was sent; more are refused (OVERLOADED).',
  },
  {
    key: 'max-queue-delay',
    kind: 'duration',
    default: '100ms',
    min: '1ms',
    max: '1h',
    sentence:
      'How long requests may wait for their turn; when they wait longer for a while, late ones are refused (OVERLOADED).',
  },
  ...decisionLogOptions,
  ...logContentOptions,
  {
    key: 'drain-timeout',
    kind: 'duration',
    default: '10s',
    min: '0s',
    max: '10m',
    sentence: 'How long shutting down may take: requests in flight finish, and the decision log is written.',
  },
  ...followingOptions,
  {
    key: 'instance',
    kind: 'string',
    defaultText: 'the host name and a random suffix',
    placeholder: 'name',
    sentence: 'What this process is called in the decision log; unique among those that share one.',
  },
  {
    key: 'log-level',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    sentence: 'The least severe messages that are logged, on standard error.',
  },
  {
    key: 'log-format',
    kind: 'choice',
    choices: ['auto', 'json', 'pretty'],
    default: 'auto',
    sentence: 'How messages are logged; auto is pretty on a terminal, and json otherwise.',
  },
  {
    key: 'hints',
    kind: 'boolean',
    default: 'false',
    sentence: 'Print commands to try, on standard error, when the sidecar is ready.',
  },
] as const satisfies readonly OptionSpec[];

export interface HostPort {
  /** Name or IP address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

type Camel<Key extends string> = Key extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Key;

type Property<Spec extends OptionSpec> = Spec['kind'] extends 'duration'
  ? `${Camel<Spec['key']>}Ms`
  : Camel<Spec['key']>;

type Value<Spec extends OptionSpec> = Spec extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : {
      string: string;
      boolean: boolean;
      integer: number;
      fraction: number;
      duration: number;
      bytes: number;
      address: HostPort;
      list: readonly string[];
      choice: string;
      permissions: number;
    }[Spec['kind']];

type Unset<Spec extends OptionSpec> = Spec extends { readonly default: string } | { readonly defaultText: string }
  ? never
  : undefined;

/** Every option with its value; durations are in milliseconds, their names end in Ms. */
export type ServeOptions = {
  readonly [Spec in (typeof serveOptions)[number] as Property<Spec>]: Value<Spec> | Unset<Spec>;
};
