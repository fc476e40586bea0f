import { describe, expect, it } from 'vitest';
import { origin, Reached } from '../../src/engine/reached.ts';

describe('what a walk has reached', () => {
  it('holds each node once, in the order in which it came, with where it came from', () => {
    const reached = new Reached();
    reached.start(10);
    reached.add(7, origin.self);
    reached.add(3, origin.wildcard);
    reached.add(7, 1);
    reached.add(5, 0);
    expect(reached.toArray()).toEqual([7, 3, 5]);
    expect([0, 1, 2].map((position) => reached.fromOf(position))).toEqual([origin.self, origin.wildcard, 0]);
    expect(reached.positionOf(5)).toBe(2);
  });

  it('knows nothing of the question before, which had more', () => {
    const reached = new Reached();
    reached.start(10);
    for (const node of [1, 2, 3]) reached.add(node, origin.self);
    reached.start(10);
    expect(reached.toArray()).toEqual([]);
    reached.add(2, origin.asserted);
    expect(reached.toArray()).toEqual([2]);
    expect([1, 2, 3].filter((node) => reached.has(node))).toEqual([2]);
    expect(reached.fromOf(reached.positionOf(2))).toBe(origin.asserted);
  });

  it('gives copies, which stay as they are when it is filled again', () => {
    const reached = new Reached();
    reached.start(10);
    for (const node of [1, 2, 3]) reached.add(node, origin.self);
    const [all, first] = [reached.toArray(), reached.toArray(2)];
    reached.start(10);
    reached.add(9, origin.self);
    expect(all).toEqual([1, 2, 3]);
    expect(first).toEqual([1, 2]);
  });
});
