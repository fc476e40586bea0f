// Garbage of many kinds for every key of a tenant, as a foreign writer leaves it: cases as data. Called by the test that
// strikes a sidecar with them.
import type { Redis } from 'ioredis';
import { type EntityKind, type EntityRecord, entityKey, entityKinds } from '../../../src/model/entity.ts';
import { type TenantKeys, tenantKeys } from '../../../src/store/redis/keys.ts';
import { oneOfEach } from '../records.ts';

/** A tenant at a revision, as a foreign hand finds it. */
export interface Victim {
  readonly redis: Redis;
  readonly keys: TenantKeys;
  readonly epoch: string;
  readonly number: number;
}

export interface Garbage {
  /** What has to be named: the key, the channel, or the identity of a record. */
  readonly where: (keys: TenantKeys) => string;
  readonly what: string;
  readonly strike: (victim: Victim) => Promise<unknown>;
}

const show = (value: unknown) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** Makes whoever follows load everything: there is a newer revision, and no history that leads to it. */
async function advance({ redis, keys, number }: Victim): Promise<void> {
  await redis.del(keys.changes);
  await redis.hset(keys.head, 'revision', number + 1);
}

const types: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  text: (redis, key) => redis.set(key, 'not yours'),
  list: (redis, key) => redis.rpush(key, 'not', 'yours'),
  set: (redis, key) => redis.sadd(key, 'not', 'yours'),
  'sorted set': (redis, key) => redis.zadd(key, 1, 'not', 2, 'yours'),
  stream: (redis, key) => redis.xadd(key, '*', 'not', 'yours'),
  hash: (redis, key) => redis.hset(key, 'not', 'yours'),
};

function* wrongTypes(): Generator<Garbage> {
  for (const [type, write] of Object.entries(types)) {
    const become = async (victim: Victim, key: string) => {
      await victim.redis.del(key);
      await write(victim.redis, key);
    };
    if (type !== 'hash') {
      yield { where: ({ head }) => head, what: `a ${type}`, strike: (victim) => become(victim, victim.keys.head) };
      for (const kind of entityKinds) {
        const strike = async (victim: Victim) => {
          await become(victim, victim.keys.records[kind]);
          await advance(victim);
        };
        yield { where: ({ records }) => records[kind], what: `a ${type}`, strike };
      }
    }
    if (type === 'stream') continue;
    const strike = async (victim: Victim) => {
      await become(victim, victim.keys.changes);
      await victim.redis.hset(victim.keys.head, 'revision', victim.number + 1);
    };
    yield { where: ({ changes }) => changes, what: `a ${type}`, strike };
  }
}

function* missing(): Generator<Garbage> {
  yield { where: ({ head }) => head, what: 'nothing', strike: ({ redis, keys }) => redis.del(keys.head) };
  for (const kind of entityKinds) {
    const strike = async (victim: Victim) => {
      await victim.redis.del(victim.keys.records[kind]);
      await advance(victim);
    };
    yield { where: ({ records }) => records[kind], what: 'nothing', strike };
  }
}

const notNumbers = ['', ' ', 'x', '-1', '0', '01', '1e3', '1.5', '0x10', 'NaN', '9007199254740993', '9'.repeat(400)];
const notWords = ['', ' ', 'a b', 'a.b', '{}', '"e"', 'ü', '\0', 'e\n', 'x'.repeat(65), '\ud83d\ude00'];

function* heads(random: () => string): Generator<Garbage> {
  const where = ({ head }: TenantKeys) => head;
  const setting = (field: string, value: string): Garbage => ({
    where,
    what: `${field} ${show(value)}`,
    strike: ({ redis, keys }) => redis.hset(keys.head, field, value),
  });
  for (const value of [...notNumbers, random()]) yield setting('revision', value);
  for (const value of [...notWords, `${random()}.`]) yield setting('epoch', value);
  for (const value of [...notWords, '2', '-', '2-', '-abc', 'abc-2', random()]) yield setting('nonce', value);
  for (const field of ['revision', 'epoch']) {
    yield { where, what: `no ${field}`, strike: ({ redis, keys }) => redis.hdel(keys.head, field) };
  }
  for (const value of ['gizmo', 'role,binding', '{}', random()]) {
    const strike = async (victim: Victim) => {
      await victim.redis.hset(victim.keys.head, 'kinds', value);
      await advance(victim);
    };
    yield { where, what: `kinds ${show(value)}`, strike };
  }
}

/** Texts that no record of the kind can be. */
function textsFor(record: EntityRecord, random: () => string): (string | Buffer)[] {
  const other = oneOfEach.find(({ kind }) => kind !== record.kind) as EntityRecord;
  const wrong = Object.keys(record).filter((field) => field !== 'kind');
  return [
    ...['', ' ', 'x', 'null', 'true', '7', '"text"', '[]', '[{}]', '{}', '{"kind":', '{"kind":"gizmo"}', '\0'],
    ...['{"kind":null}', '{"__proto__":{"kind":"role"}}', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, random()],
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    JSON.stringify(other),
    JSON.stringify({ ...record, gizmo: 1 }),
    JSON.stringify([record]),
    JSON.stringify(JSON.stringify(record)),
    ...wrong.flatMap((field) =>
      [7, null, {}, '\0', 'x'.repeat(300)].map((value) => JSON.stringify({ ...record, [field]: value })),
    ),
    ...wrong.map((field) => JSON.stringify(record).replaceAll(`"${field}":`, `"${field}s":`)),
  ];
}

/** Records that are in form, and mean nothing that could be compiled. */
const senseless: readonly EntityRecord[] = [
  { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: { type: 'doc', regex: '(' } },
  { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: 'doc:1', condition: 'no such' },
];

function* records(random: () => string): Generator<Garbage> {
  const storing = (kind: EntityKind, field: string, text: string | Buffer, what: string): Garbage => ({
    where: ({ records: ofKinds }) => ofKinds[kind],
    what,
    strike: async (victim) => {
      await victim.redis.hset(victim.keys.records[kind], field, text);
      await advance(victim);
    },
  });
  for (const record of oneOfEach) {
    const key = entityKey(record);
    for (const text of textsFor(record, random))
      yield storing(record.kind, key, text, `record ${show(text.toString())}`);
    for (const field of [`${key}x`, '\0', random()]) {
      yield storing(record.kind, field, JSON.stringify(record), `field ${show(field)}`);
    }
  }
  for (const record of senseless) {
    // In form it is a record: whoever compiles it names it by what it is.
    const { strike } = storing('binding', entityKey(record), JSON.stringify(record), '');
    yield { where: () => entityKey(record), what: show(record), strike };
  }
}

function* entries(random: () => string): Generator<Garbage> {
  const record = JSON.stringify(oneOfEach[3]);
  const about = (more: readonly string[]) => ['epoch', '@', 'at', '1', 'parts', '1', ...more];
  const lists: readonly (readonly string[])[] = [
    ['', ''],
    ['not', 'yours'],
    ['at', '1', 'parts', '1'],
    ['epoch', '@', 'parts', '1'],
    ...['0', '-1', 'x', '1.5', ''].map((parts) => ['epoch', '@', 'at', '1', 'parts', parts]),
    ...['noon', '1.5', ''].map((at) => ['epoch', '@', 'at', at, 'parts', '1']),
    ...['a b', '', '\0', random()].map((nonce) => ['nonce', nonce, ...about([])]),
    ...['a b', '', random()].map((after) => ['after', after, ...about([])]),
    ...['', 'x', '{}', '[]', 'null', '{"kind":"role"}', random()].map((text) => about(['+role', text])),
    ...['+gizmo', '+', '-', '-gizmo', '=gizmo', '+binding'].map((op) => about([op, record])),
    about(['=role', record, '+binding', record]),
    about(['=role', '{', '+role', record]),
    about(['=role', record]),
  ];
  const adding = (list: readonly string[]): Garbage['strike'] => {
    return async ({ redis, keys, epoch, number }) => {
      const fields = list.map((word) => (word === '@' ? epoch : word));
      await redis.xadd(keys.changes, `${number + 1}-0`, ...fields);
      await redis.hset(keys.head, 'revision', number + 1);
    };
  };
  for (const list of lists) {
    yield { where: ({ changes }) => changes, what: `entry ${show(list)}`, strike: adding(list) };
  }
  for (const each of senseless) {
    const strike = adding(about(['+binding', JSON.stringify(each)]));
    yield { where: () => entityKey(each), what: `entry of ${show(each)}`, strike };
  }
}

function* messages(random: () => string): Generator<Garbage> {
  const forms = [
    ...['', 'x', 'null', '7', '[]', '{}', '{"epoch":"@"}', '{"revision":1}', '{"epoch":7,"revision":1}', random()],
    ...notWords.map((epoch) => JSON.stringify({ epoch, revision: 3 })),
    ...[0, -1, 1.5, 'x', null, 1e300].map((revision) => JSON.stringify({ epoch: '@', revision })),
    ...[7, '', 'a b', {}].map((nonce) => JSON.stringify({ epoch: '@', revision: 3, nonce })),
    ...[7, {}, 'x', [7], [{}], [{ op: 'put' }], [{ op: 'gizmo' }], [{ op: 'put', record: {} }]].map((changes) =>
      JSON.stringify({ epoch: '@', revision: 3, at: 1, changes }),
    ),
    ...['noon', {}].map((at) => JSON.stringify({ epoch: '@', revision: 3, at, changes: [] })),
    // Nothing makes a text or a number of these.
    '{"epoch":"@","revision":{"toString":1,"valueOf":1}}',
    `{"epoch":"@","revision":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    '{"epoch":"@","revision":5,"at":{"toString":1,"valueOf":1},"changes":[]}',
    '{"epoch":"@","revision":["5"]}',
  ];
  for (const form of forms) {
    yield {
      where: ({ channel }) => channel,
      what: `message ${show(form)}`,
      strike: ({ redis, keys, epoch }) => redis.publish(keys.channel, form.replaceAll('@', epoch)),
    };
  }
}

/** By the kind of place. @param random Gives a text of random characters, another one each time. */
export function garbageOf(random: () => string): Readonly<Record<string, readonly Garbage[]>> {
  return {
    'a key of another type': [...wrongTypes()],
    'a key that is gone': [...missing()],
    'the head': [...heads(random)],
    'a record': [...records(random)],
    'an entry of the change stream': [...entries(random)],
    'a message': [...messages(random)],
  };
}

/** Keeps what Redis holds of the tenant now; the returned function puts it back, in one step. */
export async function remember(redis: Redis, tenant: string): Promise<() => Promise<unknown>> {
  const { head, changes, recordList } = tenantKeys(tenant);
  const keys = [head, changes, ...recordList];
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return () => {
    const back = redis.multi();
    keys.forEach((key, i) => {
      const dump = dumps[i];
      if (dump === undefined || dump === null) back.del(key);
      else back.restore(key, 0, dump, 'REPLACE');
    });
    return back.exec();
  };
}
