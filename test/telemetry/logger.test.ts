import { expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/telemetry/logger.ts';

function logged(
  options: Partial<LoggerOptions>,
  isTTY: boolean,
  write: (log: ReturnType<typeof createLogger>) => void,
) {
  let text = '';
  const stream = {
    isTTY,
    write: (line: string) => {
      text += line;
    },
  };
  write(createLogger({ level: 'info', format: 'auto', stream, ...options }));
  return text;
}

test('one line of JSON for each message, with the level in words and the time in RFC 3339', () => {
  const text = logged({ base: { instance: 'i-1' } }, false, (log) => log.info({ tenant: 'a' }, 'hello'));
  expect(text.endsWith('\n')).toBe(true);
  const line = JSON.parse(text) as { time: string };
  expect(line).toEqual({ level: 'info', time: line.time, instance: 'i-1', tenant: 'a', msg: 'hello' });
  expect(new Date(line.time).toISOString()).toBe(line.time);
});

test('messages below the level are left out', () => {
  const text = logged({ level: 'warn' }, false, (log) => {
    log.info({}, 'not this');
    log.warn({}, 'but this');
  });
  expect(JSON.parse(text)).toMatchObject({ msg: 'but this' });
});

test('an error is logged with its code, its stack and its cause', () => {
  const cause = new Error('the socket closed');
  const error = new PosternError('STORE_UNAVAILABLE', 'redis is away', { tenant: 'a' }, cause);
  const text = logged({}, false, (log) => log.error({ err: error }, 'cannot load'));
  expect(JSON.parse(text)).toMatchObject({
    err: { code: 'STORE_UNAVAILABLE', metadata: { tenant: 'a' }, message: expect.stringContaining('redis is away') },
  });
  expect(text).toContain('the socket closed');
});

test('what holds a password is not shown, at the top or one level down', () => {
  const text = logged({}, false, (log) =>
    log.info({ redis: 'redis://:hunter2@h', target: { password: 'hunter2' } }, 'x'),
  );
  expect(text).not.toContain('hunter2');
  expect(JSON.parse(text)).toMatchObject({ redis: '(not shown)', target: { password: '(not shown)' } });
});

test('a child carries its fields', () => {
  const text = logged({}, false, (log) => log.child({ tenant: 'a' }).info({}, 'x'));
  expect(JSON.parse(text)).toMatchObject({ tenant: 'a' });
});

test.for([
  { format: 'auto', isTTY: true, pretty: true },
  { format: 'auto', isTTY: false, pretty: false },
  { format: 'pretty', isTTY: false, pretty: true },
  { format: 'json', isTTY: true, pretty: false },
] as const)('format $format is pretty: $pretty where the stream is a terminal: $isTTY', ({ format, isTTY, pretty }) => {
  const text = logged({ format }, isTTY, (log) => log.info({ tenant: 'a' }, 'hello'));
  expect(text).toContain('hello');
  expect(text.startsWith('{')).toBe(!pretty);
});
