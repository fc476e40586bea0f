// The URL that says which Redis: what is understood, what is refused, and that a password is never shown.
import { describe, expect, test } from 'vitest';
import { describeTarget, parseRedisUrl } from '../../../src/store/redis/target.ts';

const none = { primary: '', tls: false, username: undefined, password: undefined, db: 0 };

describe('a Redis URL', () => {
  test.for([
    { url: 'redis://localhost', is: { ...none, kind: 'single', nodes: [{ host: 'localhost', port: 6379 }] } },
    {
      url: 'rediss://user:p%40ss:w%2Frd@10.0.0.1:7000/3',
      is: {
        ...none,
        kind: 'single',
        nodes: [{ host: '10.0.0.1', port: 7000 }],
        tls: true,
        username: 'user',
        password: 'p@ss:w/rd',
        db: 3,
      },
    },
    { url: 'redis://:s@[::1]:1/', is: { ...none, kind: 'single', nodes: [{ host: '::1', port: 1 }], password: 's' } },
    {
      url: 'redis+sentinel://a,b:26380/my-primary/2',
      is: {
        ...none,
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 26380 },
        ],
        primary: 'my-primary',
        db: 2,
      },
    },
    {
      url: 'rediss+cluster://a:7000,b:7001',
      is: {
        ...none,
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
        tls: true,
      },
    },
  ])('$url is understood', ({ url, is }) => {
    expect(parseRedisUrl(url)).toEqual(is);
  });

  test.for([
    { url: 'http://localhost', problem: 'is not a Redis URL' },
    { url: 'redis://user:s3cret@', problem: 'is not a Redis URL' },
    { url: 'redis://:s3cret@localhost?tls=1', problem: 'is not a Redis URL' },
    { url: 'redis://:s3cret@a,b', problem: 'names several hosts' },
    { url: 'redis://:s3cret@a:0', problem: 'has a host that is not host[:port]' },
    { url: 'redis://:s3cret@a:99999', problem: 'has a host that is not host[:port]' },
    { url: 'redis://:s3cret@a/one', problem: 'has a path that is not a database number' },
    { url: 'redis://:s3cret%@a', problem: 'holds a % that does not begin an escape' },
    { url: 'redis+sentinel://:s3cret@a', problem: 'does not name the primary' },
    { url: 'redis+cluster://:s3cret@a/1', problem: 'names a database' },
  ])('$url is refused: $problem', ({ url, problem }) => {
    const refused = expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(`redis-url ${problem}`),
    });
    expect(() => parseRedisUrl(url)).toThrow(refused);
    expect(() => parseRedisUrl(url)).not.toThrow(/s3cret/);
  });

  test.for([
    { url: 'redis://user:s3cret@localhost', words: 'redis://localhost:6379/0' },
    { url: 'rediss://:s3cret@[::1]:1/4', words: 'rediss://[::1]:1/4' },
    { url: 'redis+sentinel://u:s3cret@a,b/main', words: 'redis+sentinel://a:26379,b:26379/main/0' },
    { url: 'redis+cluster://:s3cret@a,b', words: 'redis+cluster://a:6379,b:6379' },
  ])('$url is described without its credentials', ({ url, words }) => {
    expect(describeTarget(parseRedisUrl(url))).toBe(words);
    expect(parseRedisUrl(words)).toEqual({ ...parseRedisUrl(url), username: undefined, password: undefined });
  });
});
