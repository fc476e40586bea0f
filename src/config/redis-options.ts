/** The options about how Redis is reached, beside its URL; part of the table in options.ts, and of the commands that reach it. */
import type { OptionSpec } from './option-spec.ts';

export const redisOptions = [
  {
    key: 'redis-ca',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Trust the Redis that these authorities vouch for (PEM), and no other; with rediss://.',
  },
  {
    key: 'redis-cert',
    kind: 'string',
    placeholder: 'file',
    sentence: 'Show Redis this certificate with its chain (PEM); with rediss://.',
  },
  {
    key: 'redis-key',
    kind: 'string',
    placeholder: 'file',
    sentence: 'The private key of --redis-cert (PEM).',
  },
  {
    key: 'redis-username',
    kind: 'string',
    placeholder: 'name',
    sentence: 'The Redis user, where the URL does not name it.',
  },
  {
    key: 'redis-password-file',
    kind: 'string',
    placeholder: 'file',
    sentence: 'A file with the password of the Redis user, where the URL does not hold it.',
  },
  {
    key: 'redis-sentinel-username',
    kind: 'string',
    placeholder: 'name',
    sentence: 'The user of the Sentinels themselves, where they ask for one; with redis+sentinel://.',
  },
  {
    key: 'redis-sentinel-password-file',
    kind: 'string',
    placeholder: 'file',
    sentence: 'A file with the password of the Sentinels themselves; with redis+sentinel://.',
  },
] as const satisfies readonly OptionSpec[];
