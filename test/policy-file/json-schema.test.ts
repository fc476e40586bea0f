import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { problemOfName, problemOfPrincipal } from '../../src/model/names.ts';
import { createJsonSchemas } from '../../src/policy-file/json-schema.ts';

type Node = Readonly<Record<string, unknown>>;

const schemas = Object.entries(createJsonSchemas());

/** Every schema object within, with its path. */
function* nodesOf(value: unknown, path = '#'): Generator<[string, Node]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Node];
  for (const [key, child] of Object.entries(value)) yield* nodesOf(child, `${path}/${key}`);
}

describe.each(schemas)('%s', (name, text) => {
  const schema = JSON.parse(text) as Node;

  test('is what its source makes; `node scripts/generate-schema.ts` writes it', () => {
    expect(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')).toBe(text);
  });

  test('describes every key to somebody who writes the file', () => {
    const properties = [...nodesOf(schema)].flatMap(([path, node]) => {
      return Object.entries((node.properties ?? {}) as Record<string, Node>).map(([key, child]) => ({
        path: `${path}/${key}`,
        child,
      }));
    });
    expect(properties.length).toBeGreaterThan(10);
    const silent = properties.filter(({ child }) => child.description === undefined && child.$ref === undefined);
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test('allows no key that it does not name', () => {
    const objects = [...nodesOf(schema)].filter(([, node]) => node.properties !== undefined && node.type === 'object');
    expect(objects.length).toBeGreaterThan(3);
    expect(objects.filter(([, node]) => node.additionalProperties !== false).map(([path]) => path)).toEqual([]);
  });

  test('refers only to what it defines', () => {
    const definitions = Object.keys((schema.definitions ?? {}) as Node);
    const references = [...nodesOf(schema)].flatMap(([, node]) => (typeof node.$ref === 'string' ? [node.$ref] : []));
    for (const reference of references) expect(definitions).toContain(reference.replace('#/definitions/', ''));
  });
});

describe('patterns of policy.schema.json', () => {
  const { definitions } = JSON.parse(createJsonSchemas()['policy.schema.json']) as {
    definitions: Record<string, { pattern?: string }>;
  };
  const names = [
    'user:alice',
    'a:b:c',
    'A.b/c-d_e:\u{1f600}',
    'doc:a b',
    'alice',
    ':a',
    '1a:b',
    'user:',
    '',
    '*',
    'anonymous',
    'user:*',
    `${'t'.repeat(129)}:x`,
  ];

  test.each(names)('agree with the model about %j', (name) => {
    const pattern = (definition: string) => new RegExp(definitions[definition]?.pattern ?? '(?!)', 'u');
    expect(pattern('principal').test(name)).toBe(problemOfPrincipal(name) === undefined);
    expect(pattern('object').test(name)).toBe(problemOfName(name) === undefined);
  });
});
