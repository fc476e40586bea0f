// Who has to go where tenants take too much memory: tenants are made up, and the clock is a number.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/graph/snapshot.ts';
import type { Resident } from '../../src/replica/resident.ts';
import { Room } from '../../src/replica/room.ts';

interface Made {
  readonly pinned?: boolean;
  readonly isHeld?: boolean;
  readonly usedAt?: number;
}

let nowMs = 0;
let residents: Map<string, Resident>;
let room: Room;
/** In the order in which they went. */
let gone: string[];
const sizes = new WeakMap<object, number>();

function roomOf(boundBytes: number): void {
  nowMs = 0;
  gone = [];
  residents = new Map();
  room = new Room({
    boundBytes,
    bytesOf: ({ revision }) => sizes.get(revision) as number,
    residents: () => residents.values(),
    evict: ({ replica }) => {
      residents.delete(replica.tenant);
      gone.push(replica.tenant);
    },
    now: () => nowMs,
  });
}

function snapshot(bytes: number): Snapshot {
  const revision = { epoch: 'e', number: 1 };
  sizes.set(revision, bytes);
  return { revision } as Snapshot;
}

/** A tenant that has just been loaded. */
function add(tenant: string, bytes: number, made: Made = {}): Resident {
  const replica = { tenant, current: snapshot(bytes) };
  const resident = { pinned: false, isHeld: false, usedAt: 0, ...made, replica } as unknown as Resident;
  residents.set(tenant, resident);
  room.measure(resident);
  return resident;
}

/** Longer than a tenant has to stay. */
const later = () => {
  nowMs += 5_000;
};

describe('room for tenants', () => {
  beforeEach(() => roomOf(1_000));

  it('is made by those not asked for longest, down to nine tenths', () => {
    for (let i = 0; i < 10; i++) add(`t${i}`, 110, { usedAt: 9 - i });
    later();
    expect(room.sweep()).toBe(2);
    expect([gone, room.usedBytes]).toEqual([['t9', 't8'], 880]);
    expect(room.sweep()).toBe(0);
  });

  it('is made by those that came first, among those asked for at the same moment', () => {
    for (const tenant of ['first', 'second', 'third']) {
      add(tenant, 400);
      nowMs++;
    }
    later();
    room.sweep();
    expect(gone).toEqual(['first']);
  });

  it('is never made by those that are named, waited for, or have just come', () => {
    add('named', 600, { pinned: true });
    add('awaited', 600, { isHeld: true });
    later();
    add('young', 600);
    expect([room.sweep(), room.roomInMs()]).toEqual([0, 5_000]);
    nowMs += 4_999;
    expect([room.sweep(), room.roomInMs()]).toEqual([0, 1]);
    nowMs++;
    expect([room.roomInMs(), gone]).toEqual([0, ['young']]);
  });

  it('is there all the same where nobody can go', () => {
    add('named', 900, { pinned: true });
    add('awaited', 900, { isHeld: true });
    expect([room.roomInMs(), room.sweep()]).toEqual([0, 0]);
  });

  it('is there below the bound, and always without one', () => {
    add('one', 999);
    expect(room.roomInMs()).toBe(0);
    roomOf(0);
    for (let i = 0; i < 10; i++) add(`t${i}`, 1e9);
    later();
    expect([room.sweep(), room.roomInMs(), room.usedBytes]).toEqual([0, 0, 1e10]);
  });

  it('is half left beside one that alone is larger than all may be', () => {
    const large = add('large', 50_000, { usedAt: 5 });
    add('small', 250, { usedAt: 1 });
    later();
    expect([room.isTooLarge(large), room.sweep(), room.roomInMs()]).toEqual([true, 0, 0]);
    add('other', 250, { usedAt: 6 });
    later();
    room.sweep();
    expect([gone, room.usedBytes]).toEqual([['small'], 50_250]);
    add('second', 60_000, { usedAt: 7 });
    later();
    room.sweep();
    expect(gone).toEqual(['small', 'large']);
  });

  it('follows what tenants take as they change, and what is not held any more', () => {
    const one = add('one', 100);
    const other = add('other', 100);
    (one.replica as { current: Snapshot }).current = snapshot(300);
    expect(room.usedBytes).toBe(200);
    room.sweep();
    expect([room.usedBytes, room.bytesOf(one)]).toEqual([400, 300]);
    room.forget(one);
    room.forget(one);
    expect([room.usedBytes, room.bytesOf(one), room.bytesOf(other)]).toEqual([100, 0, 100]);
  });

  it('is made by a hundred in one turn at most', () => {
    for (let i = 0; i < 400; i++) add(`t${i}`, 10);
    later();
    expect([room.sweep(), room.sweep(), room.sweep(), room.sweep()]).toEqual([100, 100, 100, 10]);
  });
});
