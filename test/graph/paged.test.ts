import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, emptyPaged, type Paged, PagedDraft } from '../../src/graph/paged.ts';

const writes = fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.option(fc.integer(), { nil: undefined })), {
  maxLength: 60,
});

describe('a paged column', () => {
  it('gives back what was last written, and every version goes on reading as it did', () => {
    fc.assert(
      fc.property(fc.array(writes, { maxLength: 6 }), (versions) => {
        let column: Paged<number> = emptyPaged();
        const model = new Map<number, number | undefined>();
        const history: [Paged<number>, Map<number, number | undefined>][] = [];
        for (const version of versions) {
          const draft = new PagedDraft(column);
          for (const [id, value] of version) {
            draft.set(id, value);
            model.set(id, value);
          }
          column = draft.freeze();
          history.push([column, new Map(model)]);
        }
        for (const [past, expected] of history) {
          for (const id of model.keys()) expect(at(past, id)).toBe(expected.get(id));
          expect(at(past, 1_000_000)).toBeUndefined();
        }
      }),
    );
  });

  it('shares the pages that a change did not touch', () => {
    const first = new PagedDraft<number>(emptyPaged());
    for (let id = 0; id < 5_000; id++) first.set(id, id);
    const base = first.freeze();
    const draft = new PagedDraft(base);
    draft.set(0, -1);
    const next = draft.freeze();
    expect(next.pages.filter((page, i) => page !== base.pages[i])).toHaveLength(1);
  });
});
