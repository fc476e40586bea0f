import { expect, test } from 'vitest';
import { matchesRule, parseFilterRule, rulesFor } from '../../../src/decision-log/content/filter-rules.ts';
import type { DecisionEntry } from '../../../src/decision-log/log.ts';
import { decisionEntry } from '../entries.ts';

const entries: Readonly<Record<string, Partial<DecisionEntry>>> = {
  plain: {},
  denied: { allowed: false, enforcedAllowed: false, reason: 'NO_ROLE' },
  shadow: { enforcedAllowed: false, mode: 'shadow', reason: 'NO_ROLE' },
  tenant: { object: '', action: 'doc:create' },
  list: { object: 'doc:*', source: 'list_objects', results: 3 },
  document: { object: 'document:1', action: 'reader' },
  acme: { tenant: 'acme' },
};

test.for<[rule: string, matches: string[]]>([
  ['outcome=denied', ['denied', 'shadow']],
  ['outcome=allowed', ['plain', 'tenant', 'list', 'document', 'acme']],
  ['type=doc', ['plain', 'denied', 'shadow', 'list', 'acme']],
  ['type=doc*', ['plain', 'denied', 'shadow', 'list', 'document', 'acme']],
  ['type=folder|document', ['document']],
  ['type=*', ['plain', 'denied', 'shadow', 'list', 'document', 'acme']],
  ['action=read', ['plain', 'denied', 'shadow', 'list', 'acme']],
  ['action=read*', ['plain', 'denied', 'shadow', 'list', 'document', 'acme']],
  ['action=doc:create|write', ['tenant']],
  ['tenant=acme', ['acme']],
  ['source=list_objects|explain', ['list']],
  ['outcome=allowed source=check type=doc tenant=default', ['plain']],
  ['  outcome=denied   type=doc ', ['denied', 'shadow']],
])('%s', ([rule, matches]) => {
  const parsed = parseFilterRule(rule.trim());
  expect(Object.keys(entries).filter((name) => matchesRule(parsed, decisionEntry(entries[name])))).toEqual(matches);
});

test.for<[rule: string, says: string]>([
  ['denied', '"denied" is not field=value; the fields are outcome, type, action, tenant, source'],
  ['subject=user:alice', '"subject=user:alice" is not field=value'],
  ['', '"" is not field=value'],
  ['outcome=deny', 'outcome is allowed or denied'],
  ['outcome=allowed|denied', 'outcome is allowed or denied'],
  ['type=doc type=folder', 'names type twice; write type=one|other'],
  ['type=', '"type=" has an empty value'],
  ['type=doc||folder', 'has an empty value'],
  ['type=doc:1', '"doc:1" is not a type'],
  ['action=*read', '"*read" has a "*" that is not at its end'],
  ['source=grpc', '"grpc" is not a source; those are check, batch, stream,'],
  ['source=constructor', '"constructor" is not a source'],
])('"%s" is refused with what is wrong', ([rule, says]) => {
  expect(() => parseFilterRule(rule)).toThrow(says);
});

test("a tenant's start record does not name other tenants", () => {
  const rules = ['tenant=acme|globex outcome=denied', 'tenant=globex', 'type=doc', 'tenant=acm*'].map(parseFilterRule);
  expect(rulesFor('acme', rules)).toEqual(['outcome=denied', 'type=doc', 'everything']);
});
