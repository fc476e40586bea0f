import { expect, test } from 'vitest';
import { flagsOf, helpOf, optionsDocument, shownOptions } from '../../src/config/describe.ts';
import { envNameOf, type OptionSpec } from '../../src/config/option-spec.ts';
import { serveOptions } from '../../src/config/options.ts';
import { parseOptions } from '../../src/config/parse-options.ts';
import { parseValue } from '../../src/config/parse-value.ts';

const specs: readonly OptionSpec[] = serveOptions;

function specOf(key: string): OptionSpec {
  const spec = specs.find((candidate) => candidate.key === key);
  if (spec === undefined) throw new Error(`no option ${key}`);
  return spec;
}

test('docs/options.md is what the table says (vitest -u writes it)', async () => {
  await expect(optionsDocument()).toMatchFileSnapshot('../../docs/options.md');
});

test.for(specs.map((spec) => ({ key: spec.key, spec })))(
  '--$key has a legal default, bounds and one sentence',
  ({ spec }) => {
    const { min: _min, max: _max, ...open } = spec;
    for (const text of [spec.default, spec.min, spec.max]) {
      if (text !== undefined) expect(parseValue(open, text)).toHaveProperty('value');
    }
    if (spec.default !== undefined) expect(parseValue(spec, spec.default)).toHaveProperty('value');
    expect(spec.key).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(spec.sentence).toMatch(/^[A-Z].*\.$/);
    expect(spec.kind === 'choice').toBe(spec.choices !== undefined);
  },
);

test('no two options share a name', () => {
  expect(new Set(specs.map(envNameOf)).size).toBe(specs.length);
});

test('flags and help are made from the table', () => {
  expect(flagsOf(specOf('http'))).toEqual(['--http', '--no-http']);
  expect(flagsOf(specOf('grpc-address'))).toEqual(['--grpc-address <host:port>']);
  expect(flagsOf(specOf('log-format'))).toEqual(['--log-format <auto|json|pretty>']);
  expect(helpOf(specOf('policy'))).toBe('Serve this policy file, and follow its changes. (POSTERN_POLICY)');
  expect(helpOf(specOf('drain-timeout'))).toMatch(/ \(default: 10s; POSTERN_DRAIN_TIMEOUT\)$/);
});

test('the values in force can be shown, but not the secret ones', () => {
  const options = parseOptions({
    flags: { redis: 'redis://user:hunter2@host' },
    env: {},
    suggest: () => undefined,
    instance: 'i-1',
  });
  const shown = shownOptions(options);
  expect(shown).toMatchObject({ redis: '(not shown)', instance: 'i-1', 'drain-timeout': 10_000 });
  expect(JSON.stringify(shown)).not.toContain('hunter2');
  expect(shown).not.toHaveProperty('policy');
});
