// No marker that a mask covers is in the line, whatever is asked, masked, and fails.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createContent, plainOptions } from '../../../src/decision-log/content/content.ts';
import { DecidingPath } from '../../../src/decision-log/content/deciding-path.ts';
import type { MaskedField } from '../../../src/decision-log/content/mask-rules.ts';
import type { DecisionEntry } from '../../../src/decision-log/log.ts';
import { parseRecord } from '../../../src/decision-log/record.ts';
import type { Path } from '../../../src/engine/explain.ts';
import type { Attributes, AttributeValue } from '../../../src/model/condition.ts';
import { seed } from '../../setup/seed.ts';
import { createLines, decisionEntry } from '../entries.ts';

/** Markers are told apart by field, and are long: two characters of one give nothing away. */
const marker = (field: string, i: number) => `M4RK-${field}-${i}-${'x'.repeat(8)}`;
const any = <T>(...values: T[]) => fc.constantFrom(...values);
const id = (type: string, field: string) => fc.nat(3).map((i) => `${type}:${marker(field, i)}`);

const subjects = fc.oneof(id('user', 'subject'), id('group', 'subject'), any('anonymous', 'user:*'));
const objects = fc.oneof(id('doc', 'object'), any('', 'doc:*'));
const group = id('group', 'asserted_groups');
const scopes = fc.oneof(
  id('doc', 'object'),
  id('doc', 'object').map((object) => `${object}/*`),
  id('doc', 'object').map((object) => ({ object: `${object}*` })),
  fc.nat(3).map((i) => ({ type: 'doc', regex: `.*${marker('object', i)}.+` })),
  any('*', 'doc:*'),
);
/** What is asserted may be what is bound. */
const principals = fc.oneof(subjects, group);
const freeText = fc.tuple(any('subject', 'object'), fc.nat(3)).map(([field, i]) => `for ${marker(field, i)}`);
const bindings = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(principals, any('viewer'), scopes, any('allow'), fc.option(freeText)) },
  { weight: 1, arbitrary: fc.tuple(principals, scopes) },
  { weight: 1, arbitrary: fc.record({ subject: principals }) },
);
const bindingTexts = fc.oneof(
  any(''),
  bindings.map((parts) => JSON.stringify(Array.isArray(parts) ? parts.filter((part) => part !== null) : parts)),
  // Not what the engine writes: then nothing of it may be shown.
  bindings.map((parts) => JSON.stringify(parts).slice(0, -1)),
);
const attributeNames = ['ip', 'ssn', '__proto__', 'a.b'] as const;
const attributeValue = (name: string) =>
  fc.oneof(
    any(marker(`attributes.${name}`, 0), marker(`attributes.${name}`, 1)),
    any([marker(`attributes.${name}`, 2), 'x'], { deep: marker(`attributes.${name}`, 3) }),
    any<AttributeValue>(
      [{ [marker(`attributes.${name}`, 3)]: true }],
      [[marker(`attributes.${name}`, 3)]],
      null,
      5,
      true,
    ),
  );
const attributes = fc
  .subarray([...attributeNames])
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), attributeValue(name)))))
  .map((pairs) => Object.fromEntries(pairs) as Attributes);

const step = (name: fc.Arbitrary<string>) => fc.record({ from: name, to: name, asserted: fc.boolean() });
const paths: fc.Arbitrary<Path> = fc.record({
  subjectSteps: fc.array(step(principals), { maxLength: 20 }),
  binding: any(''),
  effect: any('allow' as const),
  roles: any(['viewer']),
  permission: fc.oneof(
    any('doc:read', ''),
    id('doc', 'object').map((object) => `read on ${object}`),
  ),
  scope: scopes.map((scope) => (typeof scope === 'string' ? scope : JSON.stringify(scope))),
  condition: fc.oneof(any(''), freeText),
  objectSteps: fc.array(step(id('doc', 'object')), { maxLength: 20 }),
});

const entries: fc.Arbitrary<Partial<DecisionEntry>> = fc.record({
  subject: subjects,
  object: objects,
  binding: bindingTexts,
  caller: fc.oneof(any('', 'unix'), any(`${marker('caller', 0)}:5`)),
  traceId: fc.oneof(any(''), any(marker('trace_id', 0))),
  // All of them: a group that nobody asserted is none of this field's.
  assertedGroups: any([0, 1, 2, 3].map((i) => `group:${marker('asserted_groups', i)}`)),
  attributes: fc.option(attributes, { nil: undefined }),
  path: fc.option(
    paths.map((path) => DecidingPath.known(path)),
    { nil: undefined },
  ),
});

const masks = any('drop', 'hash', 'truncate:6');
const fields: readonly MaskedField[] = ['subject', 'object', 'caller', 'trace_id', 'asserted_groups', 'attributes'];
const rules = fc
  .subarray([...fields, ...attributeNames.map((name) => `attributes.${name}`)])
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), masks))));

/** What fails: the digest always, now and then, or never; and whether what it gives is any good. */
const failures = any<(count: number) => string | undefined>(
  () => undefined,
  () => {
    throw new Error('no crypto today');
  },
  (count) => {
    if (count % 2 === 0) throw new Error('not now');
    return undefined;
  },
  () => '',
);

test('no marker that a mask covers is in the line, whatever fails', () => {
  let covered = 0;
  const claim = fc.property(entries, rules, failures, (entry, masked, failure) => {
    let calls = 0;
    const digest = (text: string) =>
      failure(calls++) ?? createHmac('sha256', 'key').update(text).digest('base64url').slice(0, 22);
    const mask = masked.map(([field, kind]) => `${field}=${kind}`);
    const failed: string[] = [];
    const content = createContent({ ...plainOptions, mask }, { digest, onMaskFailure: (field) => failed.push(field) });
    const line = createLines('i-1', 'default', content).decision(decisionEntry(entry), 1);
    const names = masked.map(([field]) => field);
    for (const name of names) {
      // An attribute's marker is covered by its own rule, and by that of all.
      const found = line.match(new RegExp(`M4RK-${name.replaceAll('.', '\\.')}[-.]`, 'g'));
      expect(found, `${name} in ${line}`).toBeNull();
      covered++;
    }
    // A binding that the engine does not make is written as it is where no mask looks into it.
    if (!names.some((name) => ['subject', 'object', 'asserted_groups'].includes(name))) return;
    const record = parseRecord(line);
    expect(record).toMatchObject({ seq: 1, action: 'read', allowed: true });
    for (const field of failed) expect(record).toMatchObject({ masked: expect.arrayContaining([field]) });
  });
  fc.assert(claim, { seed, numRuns: 3_000 });
  expect(covered).toBeGreaterThan(3_000);
});

test('what only looks like an entry costs fields, never the record', () => {
  const thrower = {
    get ip(): string {
      throw new Error('M4RK');
    },
  };
  const broken = { subject: 'no colon M4RK', assertedGroups: [{ M4RK: 1 }], attributes: thrower, caller: '' } as never;
  const content = createContent(
    { ...plainOptions, mask: ['subject=hash', 'asserted_groups=truncate:2', 'attributes=hash', 'object=hash'] },
    { maskKey: Buffer.alloc(32) },
  );
  const line = createLines('i-1', 'default', content).decision(decisionEntry({ ...(broken as object) }), 1);
  expect(line).not.toContain('M4RK');
  expect(parseRecord(line)).toMatchObject({
    masked: ['subject', 'object', 'binding', 'asserted_groups', 'attributes'],
  });
});
