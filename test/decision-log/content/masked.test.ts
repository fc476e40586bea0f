import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Content, createContent, plainOptions } from '../../../src/decision-log/content/content.ts';
import { DecidingPath } from '../../../src/decision-log/content/deciding-path.ts';
import type { DecisionEntry } from '../../../src/decision-log/log.ts';
import { type DecisionRecord, parseRecord } from '../../../src/decision-log/record.ts';
import type { Path } from '../../../src/engine/explain.ts';
import { createLines, decisionEntry } from '../entries.ts';

const maskKey = Buffer.alloc(32, 7);

function hmac(text: string): string {
  return `hmac-${createHmac('sha256', maskKey).update(text).digest('base64url').slice(0, 22)}`;
}

function masking(...mask: string[]): Content {
  return createContent({ ...plainOptions, mask }, { maskKey });
}

function written(content: Content, entry: Partial<DecisionEntry>): DecisionRecord {
  return parseRecord(createLines('i-1', 'default', content).decision(decisionEntry(entry), 1)) as DecisionRecord;
}

test('a hash keeps the type, and equal ids stay equal wherever they are', () => {
  const content = masking('subject=hash', 'object=hash', 'asserted_groups=hash');
  const record = written(content, {
    subject: 'user:alice',
    object: 'user:alice',
    binding: '["group:ops","viewer","user:alice","allow"]',
    assertedGroups: ['group:ops', 'group:dev'],
  });
  expect(record).toMatchObject({
    subject: `user:${hmac('user:alice')}`,
    object: `user:${hmac('user:alice')}`,
    binding: [`group:${hmac('group:ops')}`, 'viewer', `user:${hmac('user:alice')}`, 'allow'],
    asserted_groups: [`group:${hmac('group:ops')}`, `group:${hmac('group:dev')}`],
    masked: ['subject', 'object', 'binding', 'asserted_groups'],
  });
});

test('another key makes other hashes', () => {
  const other = createContent({ ...plainOptions, mask: ['subject=hash'] }, { maskKey: Buffer.alloc(32, 8) });
  expect(written(other, {}).subject).not.toBe(written(masking('subject=hash'), {}).subject);
});

test.for(['anonymous', '*', 'user:*'])('the subject %s is no id, and stays', (subject) => {
  const record = written(masking('subject=hash'), { subject, binding: '' });
  expect(record.subject).toBe(subject);
  expect(record.masked).toBeUndefined();
});

test('what is dropped is not there, and the record says so', () => {
  const content = masking('subject=drop', 'object=drop', 'caller=drop', 'trace_id=drop', 'asserted_groups=drop');
  const record = written(content, { traceId: 'a'.repeat(32), assertedGroups: ['group:ops'] });
  for (const key of ['subject', 'object', 'caller', 'trace_id', 'asserted_groups'])
    expect(record).not.toHaveProperty(key);
  expect(record.binding).toEqual([null, 'viewer', '*', 'allow']);
  expect(record.masked).toEqual(['subject', 'object', 'binding', 'caller', 'trace_id', 'asserted_groups']);
});

test('what is truncated keeps its type and its first characters, whole ones', () => {
  const record = written(
    masking('subject=truncate:3', 'object=truncate:2', 'trace_id=truncate:4', 'caller=truncate:5'),
    {
      subject: 'user:alice',
      object: 'doc:😀😀😀',
      traceId: '0123456789',
      caller: '10.20.30.40:55',
    },
  );
  expect(record).toMatchObject({ subject: 'user:ali…', object: 'doc:😀😀…', trace_id: '0123…', caller: '10.20…' });
  expect(written(masking('subject=truncate:5'), { subject: 'user:alice' })).toMatchObject({ subject: 'user:alice' });
});

test('a caller is hashed without the port, which every connection has another of', () => {
  const callers = ['10.0.0.1:5', '10.0.0.1:6', '[::1]:7', 'fe80::1', 'unix'].map(
    (caller) => written(masking('caller=hash'), { caller }).caller,
  );
  expect(callers).toEqual([hmac('10.0.0.1'), hmac('10.0.0.1'), hmac('[::1]'), hmac('fe80::1'), 'unix']);
});

const bindings: { name: string; mask: string[]; binding: unknown[]; becomes: unknown[]; groups?: string[] }[] = [
  {
    name: 'whole types and the tenant are no ids',
    mask: ['subject=hash', 'object=hash'],
    binding: ['user:*', 'viewer', 'doc:*', 'allow'],
    becomes: ['user:*', 'viewer', 'doc:*', 'allow'],
  },
  {
    name: 'a pattern is hashed as a text, and keeps its type',
    mask: ['object=hash'],
    binding: ['user:a', 'viewer', 'doc:alice/*', 'deny'],
    becomes: ['user:a', 'viewer', `doc:${hmac('doc:alice/*')}`, 'deny'],
  },
  {
    name: 'so is a regular expression',
    mask: ['object=hash'],
    binding: ['user:a', 'viewer', { type: 'doc', regex: 'alice.+' }, 'allow'],
    becomes: ['user:a', 'viewer', `doc:${hmac('alice.+')}`, 'allow'],
  },
  {
    name: 'a pattern is not cut short, it is dropped',
    mask: ['object=truncate:2'],
    binding: ['user:a', 'viewer', 'doc:alice/*', 'allow'],
    becomes: ['user:a', 'viewer', null, 'allow'],
  },
  {
    name: 'an object whose id holds a star is an id',
    mask: ['object=hash'],
    binding: ['user:a', 'viewer', { object: 'doc:a*' }, 'allow'],
    becomes: ['user:a', 'viewer', `doc:${hmac('doc:a*')}`, 'allow'],
  },
  {
    name: 'a name may say anything: it is hashed where all ids are',
    mask: ['subject=hash'],
    binding: ['user:a', 'viewer', '*', 'allow', 'for alice'],
    becomes: [`user:${hmac('user:a')}`, 'viewer', '*', 'allow', hmac('for alice')],
  },
  {
    name: 'and dropped where one is not',
    mask: ['subject=hash', 'object=truncate:9'],
    binding: ['user:a', 'viewer', '*', 'allow', 'for alice'],
    becomes: [`user:${hmac('user:a')}`, 'viewer', '*', 'allow', null],
  },
  {
    name: 'an asserted group is under the stricter of two masks',
    mask: ['subject=truncate:9', 'asserted_groups=drop'],
    binding: ['group:ops', 'viewer', '*', 'allow'],
    groups: ['group:ops'],
    becomes: [null, 'viewer', '*', 'allow'],
  },
  {
    name: 'an asserted group is masked where subjects are not',
    mask: ['asserted_groups=hash'],
    binding: ['group:ops', 'viewer', '*', 'allow'],
    groups: ['group:ops'],
    becomes: [`group:${hmac('group:ops')}`, 'viewer', '*', 'allow'],
  },
  {
    name: 'another group then stays',
    mask: ['asserted_groups=hash'],
    binding: ['group:dev', 'viewer', '*', 'allow'],
    groups: ['group:ops'],
    becomes: ['group:dev', 'viewer', '*', 'allow'],
  },
];

test.for(bindings)('in a binding, $name', ({ mask, binding, becomes, groups }) => {
  const record = written(masking(...mask), { binding: JSON.stringify(binding), assertedGroups: groups });
  expect(record.binding).toEqual(becomes);
});

test('each attribute is masked by its own rule, or by that of all', () => {
  const attributes = {
    ip: '10.0.0.1',
    ssn: '123',
    region: 'eu-west',
    tags: ['a', 'b'],
    age: 40,
    deep: { a: 1 },
    no: null,
  };
  const one = written(masking('attributes.ssn=drop', 'attributes.region=truncate:2', 'attributes.tags=hash'), {
    attributes,
  });
  const { ssn: _, ...others } = attributes;
  expect(one.attributes).toEqual({ ...others, region: 'eu…', tags: [hmac('a'), hmac('b')] });
  expect(one.masked).toEqual(['attributes.ssn', 'attributes.region', 'attributes.tags']);
  const all = written(masking('attributes=hash', 'attributes.region=keep', 'attributes.ip=drop'), { attributes });
  // A map and a null have no form that could be hashed.
  expect(all.attributes).toEqual({
    ssn: hmac('123'),
    region: 'eu-west',
    tags: [hmac('a'), hmac('b')],
    age: hmac('40'),
  });
  expect(all.masked).toEqual(['attributes.ip', 'attributes']);
  const none = written(masking('attributes=drop'), { attributes });
  expect(none).not.toHaveProperty('attributes');
  expect(none.masked).toEqual(['attributes']);
});

test('an attribute called __proto__ is one like any other', () => {
  const attributes = JSON.parse('{"__proto__":"secret","a":"b"}') as Record<string, string>;
  const line = createLines('i', 't', masking('attributes.a=hash')).decision(decisionEntry({ attributes }), 1);
  expect(line).toContain(`"attributes":{"__proto__":"secret","a":"${hmac('b')}"}`);
});

const path: Path = {
  subjectSteps: [
    { from: 'user:alice', to: 'group:ops', asserted: true },
    { from: 'group:ops', to: 'group:all', asserted: false },
  ],
  binding: '["group:all","editor","folder:plans","allow"]',
  effect: 'allow',
  roles: ['editor', 'viewer'],
  permission: 'read on doc:42',
  scope: 'folder:plans',
  condition: "ip == '10.0.0.1'",
  objectSteps: [{ from: 'doc:42', to: 'folder:plans', asserted: false }],
};

test('a path is masked as the subject and the object are', () => {
  const record = written(masking('subject=hash', 'object=drop'), { path: DecidingPath.known(path) });
  const [alice, ops, everybody] = ['user:alice', 'group:ops', 'group:all'].map((name) =>
    name.replace(/:.*/, `:${hmac(name)}`),
  );
  expect(record.path).toEqual({
    subject_steps: [
      { from: alice, to: ops, asserted: true },
      { from: ops, to: everybody },
    ],
    effect: 'allow',
    roles: ['editor', 'viewer'],
    object_steps: [{}],
  });
  expect(record.masked).toContain('path');
});

test('a path of nobody whose ids are masked is whole', () => {
  const record = written(masking('trace_id=drop'), { path: DecidingPath.known(path) });
  expect(record.path).toMatchObject({
    permission: 'read on doc:42',
    condition: "ip == '10.0.0.1'",
    scope: 'folder:plans',
  });
  expect(record.masked).toBeUndefined();
  const { condition } = written(masking('attributes.ip=drop'), { path: DecidingPath.known(path) }).path ?? {};
  expect(condition).toBeUndefined();
});

test.for<[mask: string[], says: string]>([
  [['subject'], '"subject" is not field=mask; the fields are subject, object, caller,'],
  [['user=hash'], '"user=hash" is not field=mask'],
  [['attributes.=hash'], 'is not field=mask'],
  [['subject=md5'], '"subject=md5" has no mask that is known; those are drop, hash, truncate:N'],
  [['subject=keep'], 'has no mask that is known'],
  [['subject=truncate'], 'has no mask that is known'],
  [['subject=truncate:-1'], 'has no mask that is known'],
  [['subject=hash', 'subject=drop'], 'the mask of "subject" is given twice'],
  [['attributes.a=keep'], 'attributes.a=keep says nothing'],
])('%j is refused with what is wrong', ([mask, says]) => {
  expect(() => masking(...mask)).toThrow(says);
});

test('a hash without a key is refused at start', () => {
  expect(() => createContent({ ...plainOptions, mask: ['caller=hash'] })).toThrow('--decision-log-mask-key-file');
});
