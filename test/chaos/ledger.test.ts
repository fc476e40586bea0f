// What the ledger makes of commits whose outcome nobody heard: the rest of it is held to the store in every run.
import { expect, test } from 'vitest';
import type { Revision } from '../../src/model/change.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { putOf } from '../store/records.ts';
import { Ledger } from './ledger.ts';

const role = (name: string) => putOf({ kind: 'role', name, permissions: [] });

/** A ledger that knows one commit, and of more that were sent on it. */
async function sentOnFirst(...names: string[]): Promise<{ ledger: Ledger; first: Revision }> {
  const ledger = new Ledger();
  const store = createMemoryStore();
  const changes = [role('first')];
  const first = await store.commit('acme', changes, { why: ledger.sending(changes) });
  expect(await ledger.readBack(store, 'acme')).toEqual(first);
  for (const name of names) ledger.sending([role(name)], first);
  return { ledger, first };
}

const namesOf = (ledger: Ledger, revision: Revision) =>
  ledger.recordsAt(revision).map((record) => (record.kind === 'role' ? record.name : record.kind));

test('a commit that was lost before anybody heard of it is found by what was answered', async () => {
  const { ledger, first } = await sentOnFirst('a', 'b');
  const lost = { ...first, number: 2, nonce: 'lost' };
  expect(
    ledger.findLost(lost, (records) => records.some((record) => record.kind === 'role' && record.name === 'b')),
  ).toBe(true);
  expect(namesOf(ledger, lost)).toEqual(['first', 'b']);
  expect(ledger.isWithin(first, lost)).toBe(true);
  expect([...ledger.lostBefore(first)]).toHaveLength(1);
  // What was found once is no longer to be found.
  expect(ledger.findLost({ ...lost, nonce: 'other' }, () => true)).toBe(true);
  expect(namesOf(ledger, { ...lost, nonce: 'other' })).toEqual(['first', 'a']);
  expect(ledger.findLost({ ...lost, nonce: 'third' }, () => true)).toBe(false);
});

test('it is not where it fits nothing that was sent, has another number, or was refused', async () => {
  const { ledger, first } = await sentOnFirst('a');
  expect(ledger.findLost({ ...first, number: 2, nonce: 'x' }, () => false)).toBe(false);
  expect(ledger.findLost({ ...first, number: 3, nonce: 'x' }, () => true)).toBe(false);
  expect(ledger.findLost({ ...first, epoch: 'other', number: 2, nonce: 'x' }, () => true)).toBe(false);
  ledger.refused(ledger.sending([role('b')], first));
  expect(ledger.findLost({ ...first, number: 2, nonce: 'x' }, (records) => records.length === 2)).toBe(true);
  expect(namesOf(ledger, { ...first, number: 2, nonce: 'x' })).toEqual(['first', 'a']);
});

test('where two fit, it stays open which it is', async () => {
  const { ledger, first } = await sentOnFirst('a', 'b');
  const lost = { ...first, number: 2, nonce: 'lost' };
  expect(ledger.findLost(lost, () => true)).toBe(true);
  expect(ledger.knows(lost)).toBe(false);
});

test('a revision may be refused as lost where another commit has its number, or may have', async () => {
  const { ledger, first } = await sentOnFirst();
  const why = ledger.sending([role('a')], first);
  const second = { ...first, number: 2, nonce: 'a' };
  ledger.committed(why, second);
  expect(ledger.gives('REVISION_LOST', second)).toBe(false);
  ledger.sending([role('b')], first);
  expect(ledger.gives('REVISION_LOST', second)).toBe(true);
  expect(ledger.gives('REVISION_OF_OTHER_EPOCH', second)).toBe(false);
  expect(ledger.gives('REVISION_OF_OTHER_EPOCH', { ...second, epoch: 'other' })).toBe(true);
});
