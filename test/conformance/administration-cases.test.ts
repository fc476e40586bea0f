/**
 * Who may change what, as readable cases (administration-cases/*.yaml), each row of the table both ways. What is
 * accepted from an ordinary caller is put before the judge of the random histories, too.
 */
import { describe, expect, test } from 'vitest';
import { PosternError } from '../../src/model/errors.ts';
import { judge } from '../reference/administration-judge.ts';
import { may } from '../reference/administration-table.ts';
import {
  createWorld,
  identityOf,
  operator,
  outcomeOf,
  requestOf,
  type World,
} from '../reference/administration-world.ts';
import { type CaseCommit, loadCases, recordsOfCase, requestedOf } from './administration-cases.ts';

async function commit(world: World, written: CaseCommit): Promise<void> {
  const caller = written.operator === true ? operator : identityOf(written.by as string);
  const onBehalfOf = written.on_behalf_of ?? '';
  const requested = written.changes.map(requestedOf);
  const before = await world.read();
  const request = requestOf(requested, {
    onBehalfOf,
    allowNoAdministrator: written.allow_no_administrator === true,
  });
  const outcome = await outcomeOf(async () => world.administration.commit(caller, request));
  const after = await world.read();
  const refused = outcome instanceof PosternError;
  if (written.is === 'refused') expect(refused, 'it was accepted').toBe(true);
  else expect(refused ? outcome.code : 'OK', refused ? outcome.message : 'it was accepted').toBe(written.is);
  if (refused) expect(after).toEqual(before);
  else if (!caller.operator || onBehalfOf !== '') {
    const acting = onBehalfOf === '' ? caller.subject : onBehalfOf;
    const step = { before: before.records, after: after.records, requested, caller: acting, acting, now: world.now() };
    expect(judge(step).problems).toEqual([]);
  }
  const { allowed = [], denied = [] } = written;
  const answers = [...allowed, ...denied].map((question) => {
    const [subject = '', action = '', object = ''] = question.split(' ');
    return [question, may(after.records, subject, action, object, world.now())];
  });
  expect(answers).toEqual([...allowed.map((text) => [text, true]), ...denied.map((text) => [text, false])]);
  for (const next of written.then ?? []) await commit(world, next);
}

describe.each(loadCases(new URL('administration-cases/', import.meta.url)))('$title', (document) => {
  test.each(document.commits)('$claim', async (written) => {
    const world = await createWorld(recordsOfCase(document));
    try {
      await commit(world, written);
    } finally {
      await world.close();
    }
  });
});
