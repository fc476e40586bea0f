// What regular expressions cost together: told where it becomes too much, for a type and for a role.
import { expect, test } from 'vitest';
import { type ValidateOptions, validate } from '../../src/graph/validate.ts';
import type { BindingRecord, EntityRecord, RoleRecord } from '../../src/model/entity.ts';

const options: ValidateOptions = {
  compileRegex: () => ({ instructions: 600 }),
  compileCondition: () => undefined,
  checkCondition: () => undefined,
  suggest: () => undefined,
};
const viewer: RoleRecord = { kind: 'role', name: 'viewer', permissions: ['doc:read'] };
const binding = (fields: Partial<BindingRecord>): BindingRecord => {
  return { kind: 'binding', subject: 'user:alice', role: 'viewer', scope: '*', ...fields };
};

test('regular expressions of one type that are too much to try together are refused where they become it, once', () => {
  const regexes = (type: string, count: number) =>
    Array.from({ length: count }, (_, i) => binding({ scope: { type, regex: `a${i}` } }));
  const again = binding({ subject: 'user:bob', scope: { type: 'doc', regex: 'a0' } });
  const check = (...records: EntityRecord[]) => validate([viewer, ...records], options).problems;
  expect(check(...regexes('doc', 16), again, ...regexes('folder', 16))).toEqual([]);
  const problems = check(...regexes('doc', 20));
  expect(problems.map(({ index, field }) => [index, field])).toEqual([[17, ['scope', 'regex']]]);
  expect(problems[0]?.message).toMatch(/^the regular expressions of type doc take more than 10000 steps together; use/);
});

test('regular expressions of one role that are too much to try together are refused', () => {
  const permissions = Array.from({ length: 17 }, (_, i) => ({
    objects: { type: 'doc', regex: `a${i}` },
    actions: ['read'],
  }));
  const check = (count: number) =>
    validate([{ kind: 'role', name: 'wide', permissions: permissions.slice(0, count) }], options).problems;
  expect(check(16)).toEqual([]);
  expect(check(17).map(({ message }) => message)).toEqual([expect.stringMatching(/of role wide take more than 10000/)]);
});
