// The options about what is recorded: their values, what must hold between them, and what is wrong with their rules.
import { expect, test } from 'vitest';
import { type OptionSources, parseOptions } from '../../src/config/parse-options.ts';
import { contentValidators } from '../../src/decision-log/content/validators.ts';
import { messageOf } from '../../src/model/errors.ts';

function parse(flags: OptionSources['flags'], env: OptionSources['env'] = {}) {
  const all = { policy: 'policy.yaml', ...flags };
  return parseOptions({ flags: all, env, suggest: () => undefined, validators: contentValidators, instance: 'host-1' });
}

function problemsOf(flags: OptionSources['flags']): string[] {
  try {
    parse(flags);
  } catch (error) {
    return messageOf(error)
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

test('rules may be repeated and listed, as flags and in the environment', () => {
  const flags = { decisionLogInclude: ['outcome=denied', 'type=doc source=check|batch, tenant=a*'] };
  const env = { POSTERN_DECISION_LOG_SAMPLE: 'allowed=0.01,denied=1', POSTERN_DECISION_LOG_PATH_RATE: '0.001' };
  expect(parse(flags, env)).toMatchObject({
    decisionLogInclude: ['outcome=denied', 'type=doc source=check|batch', 'tenant=a*'],
    decisionLogExclude: undefined,
    decisionLogSample: ['allowed=0.01', 'denied=1'],
    decisionLogPathRate: 0.001,
  });
});

test.for(['1.5', '-1', '50%', '1e-3', '2'])('the share %s is refused', (decisionLogPathRate) => {
  expect(problemsOf({ decisionLogPathRate })).toEqual([
    `--decision-log-path-rate "${decisionLogPathRate}" is not a fraction; write a number from 0 to 1, such as 0.01`,
  ]);
});

test('a hash needs a key, and a key something that is hashed', () => {
  expect(problemsOf({ decisionLogMask: 'caller=drop,attributes.a=hash' })).toEqual([
    '--decision-log-mask hashes a field, which needs --decision-log-mask-key-file',
  ]);
  expect(problemsOf({ decisionLogMask: 'subject=drop', decisionLogMaskKeyFile: 'key' })).toEqual([
    '--decision-log-mask-key-file needs a field that --decision-log-mask hashes, such as subject=hash',
  ]);
  expect(problemsOf({ decisionLogMask: 'subject=hash', decisionLogMaskKeyFile: 'key' })).toEqual([]);
});

test('each item of a list is checked, and what is wrong with all of them is told', () => {
  const flags = {
    decisionLogInclude: ['outcome=deny', 'type=doc'],
    decisionLogSample: 'allowed=2',
    decisionLogMask: 'user=drop',
  };
  expect(problemsOf(flags)).toEqual([
    expect.stringMatching(/^--decision-log-include .*: rule "outcome=deny": outcome is allowed or denied$/),
    expect.stringMatching(/^--decision-log-sample "allowed=2": "allowed=2" is not a rate/),
    expect.stringMatching(/^--decision-log-mask "user=drop": "user=drop" is not field=mask/),
  ]);
});
