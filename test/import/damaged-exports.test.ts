/** Exports of which a part was replaced by something else: whatever it is, the import is refused with its place, or faithful. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { importDeis } from '../../src/import/deis.ts';
import type { Import, Source } from '../../src/import/importer.ts';
import { importKeycloak } from '../../src/import/keycloak.ts';
import { importNmdc } from '../../src/import/nmdc.ts';
import { PosternError } from '../../src/model/errors.ts';
import { seed } from '../setup/seed.ts';
import { expectFaithful, fixture, source } from './imported.ts';

type Importer = (sources: readonly Source[]) => Import;

const users = fixture('nmdc/users.jsonl').text.trim().split('\n');
const lists = ['sites', '_runtime.api.allow', '_runtime.api.deny'].map((name): [string, unknown] => [
  name,
  JSON.parse(fixture(`nmdc/${name}.json`).text),
]);

const exports: ReadonlyArray<{ system: string; json: unknown; importer: Importer }> = [
  {
    system: 'NMDC',
    json: { users: users.map((line) => JSON.parse(line)), ...Object.fromEntries(lists) },
    importer: importNmdc,
  },
  { system: 'Keycloak', json: JSON.parse(fixture('keycloak/seagrid-realm.json').text), importer: importKeycloak },
  { system: 'Deis', json: JSON.parse(fixture('deis/dump.json').text), importer: importDeis },
];

const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '*',
    '',
    'a\nb',
    ':',
    '__proto__',
    'x'.repeat(300),
    '\ud800',
    -1,
    true,
    [],
    {},
    [[]],
    ['*'],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

describe.for(exports)('a damaged export of $system', ({ json, importer }) => {
  const places = placesOf(json);

  test('is refused with a place, or imported faithfully', { timeout: 60_000 }, () => {
    const seen = { refused: 0, imported: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...places), replacement, (place, value) => {
        const imported = attempt(() => importer([source('damaged.json', replaced(json, place, value))]));
        if (imported === undefined) seen.refused++;
        else {
          seen.imported++;
          expectFaithful(imported);
        }
      }),
      { seed, numRuns: 300 },
    );
    expect(seen.refused).toBeGreaterThan(0);
    expect(seen.imported).toBeGreaterThan(0);
  });
});

/** Nothing but INVALID_REQUEST with a place may be thrown. */
function attempt(run: () => Import): Import | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.message).toMatch(/^(damaged\.json: |the collection )/);
    return undefined;
  }
}

type Place = readonly (string | number)[];

function placesOf(json: unknown, at: Place = []): readonly Place[] {
  if (typeof json !== 'object' || json === null) return [at];
  const children = Array.isArray(json) ? json.map((child, i) => [i, child] as const) : Object.entries(json);
  return [at, ...children.flatMap(([key, child]) => placesOf(child, [...at, key]))];
}

function replaced(json: unknown, [key, ...rest]: Place, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(json)) return json.map((child, i) => (i === key ? replaced(child, rest, value) : child));
  const entries = Object.entries(json as object);
  return Object.fromEntries(
    entries.map(([name, child]) => [name, name === key ? replaced(child, rest, value) : child]),
  );
}
