import { expect, test } from 'vitest';
import {
  type Content,
  type ContentOptions,
  createContent,
  describeContent,
  formatContent,
  plainOptions,
} from '../../../src/decision-log/content/content.ts';
import { createIds } from '../../../src/decision-log/ids.ts';
import type { DecisionEntry } from '../../../src/decision-log/log.ts';
import { createDirectLog, createLines, createMemorySink, decisionEntry, numbersOf, someTime } from '../entries.ts';

function contentOf(options: Partial<ContentOptions>): Content {
  return createContent({ ...plainOptions, ...options }, { salt: 1 });
}

const denied = { allowed: false, enforcedAllowed: false, reason: 'NO_ROLE' } as const;
const entries: Readonly<Record<string, DecisionEntry>> = {
  read: decisionEntry(),
  denied: decisionEntry(denied),
  ping: decisionEntry({ action: 'ping' }),
  deniedPing: decisionEntry({ ...denied, action: 'ping' }),
  invoice: decisionEntry({ object: 'invoice:1' }),
};

test.for<[name: string, include: string[], exclude: string[], recorded: string[]]>([
  ['one rule that includes', ['outcome=denied'], [], ['denied', 'deniedPing']],
  ['any of several', ['outcome=denied', 'type=invoice'], [], ['denied', 'deniedPing', 'invoice']],
  ['what is excluded is not, even where it is included', ['outcome=denied'], ['action=ping'], ['denied']],
  ['all but what is excluded', [], ['action=ping outcome=allowed'], ['read', 'denied', 'deniedPing', 'invoice']],
  ['all but what any rule excludes', [], ['action=ping', 'type=invoice'], ['read', 'denied']],
])('of the rules, %s', ([, include, exclude, recorded]) => {
  const { wants } = contentOf({ include, exclude });
  expect(Object.keys(entries).filter((name) => wants?.(entries[name] as DecisionEntry))).toEqual(recorded);
});

test('where nothing is asked for, nothing is asked of an entry', () => {
  expect(contentOf({})).toMatchObject({
    wants: undefined,
    takesPath: undefined,
    rateOf: undefined,
    mask: undefined,
  });
});

test('what is not recorded gets no number, and leaves no gap', async () => {
  const sink = createMemorySink();
  const content = contentOf({ include: ['outcome=denied'] });
  const log = createDirectLog(sink, { intervalMs: 0, content });
  for (let i = 0; i < 30; i++) log.append(decisionEntry(i % 3 === 0 ? denied : {}));
  await log.close(1_000);
  expect(numbersOf(sink.records)).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
  expect(log.stats()).toMatchObject({ appended: 10, written: 10, dropped: 0 });
});

test('a sample is thinned by outcome, and its records tell the rate, so that counts can be scaled', async () => {
  const sink = createMemorySink();
  const content = contentOf({ sample: ['allowed=0.1'] });
  const log = createDirectLog(sink, { intervalMs: 0, content });
  const nextId = createIds(() => 0.3);
  const count = 20_000;
  for (let i = 0; i < count; i++) log.append(decisionEntry({ id: nextId(someTime), ...(i % 100 === 0 ? denied : {}) }));
  await log.close(5_000);
  const scaled = { allowed: 0, denied: 0 };
  for (const record of sink.records) {
    if (record.type !== undefined) throw new Error('only decisions were written');
    expect(record.sample_rate).toBe(record.allowed ? 0.1 : undefined);
    scaled[record.allowed ? 'allowed' : 'denied'] += 1 / (record.sample_rate ?? 1);
  }
  expect(scaled.denied).toBe(count / 100);
  expect(Math.abs(scaled.allowed - count * 0.99) / count).toBeLessThan(0.05);
});

test('paths are a share of what is recorded', () => {
  const { wants, takesPath } = contentOf({ sample: ['allowed=0.1'], pathRate: 0.5 });
  const nextId = createIds(() => 0.3);
  const recorded = Array.from({ length: 50_000 }, () => nextId(someTime)).filter((id) =>
    wants?.(decisionEntry({ id })),
  );
  const share = recorded.filter((id) => takesPath?.(id)).length / recorded.length;
  expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
});

test('a rate of a millionth is written as a number of JSON', () => {
  const content = contentOf({ sample: ['allowed=0.0000001'] });
  expect(createLines('i', 't', content).decision(decisionEntry(), 1)).toContain(',"sample_rate":1e-7');
});

test('a start record says what of the decisions is there, in the words of the options', () => {
  const options: ContentOptions = {
    include: ['outcome=denied', 'tenant=acme type=doc|folder'],
    exclude: ['tenant=globex'],
    sample: ['allowed=0.01'],
    pathRate: 0.001,
    mask: ['subject=hash', 'attributes.ip=truncate:4'],
  };
  const sample = 'allowed=0.01, path=0.001';
  const mask = 'subject=hash, attributes.ip=truncate:4';
  expect(describeContent(options, 'acme')).toEqual({
    filter: 'include outcome=denied; include type=doc|folder',
    sample,
    mask,
  });
  expect(describeContent(options, 'initech')).toEqual({ filter: 'include outcome=denied', sample, mask });
  expect(describeContent({ ...plainOptions, include: ['tenant=acme'] }, 'initech')).toEqual({
    filter: 'include nothing',
  });
  expect(describeContent(plainOptions, 'acme')).toEqual({});
  expect(describeContent(options, undefined).filter).toBe(
    'include outcome=denied; include tenant=acme type=doc|folder; exclude tenant=globex',
  );
});

test('the start-up line says what is not written', () => {
  expect(formatContent(contentOf({}))).toBe('');
  const content = contentOf({ exclude: ['action=ping'], sample: ['allowed=0.1'], pathRate: 1, mask: ['caller=drop'] });
  expect(formatContent(content)).toBe(
    '; recorded is what the rules leave (exclude action=ping); sampled (allowed=0.1, path=1); masked (caller=drop)',
  );
});
