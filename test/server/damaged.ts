/** Messages with some bytes turned, cut out or put in, for tests that send what no client would. */
import fc from 'fast-check';

export function damagedFrom(messages: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(2));
  return fc.tuple(messages, fc.array(edit, { maxLength: 3 })).map(([bytes, edits]) => {
    const out = [...bytes];
    for (const [at, value, how] of edits) {
      const place = out.length === 0 ? 0 : at % out.length;
      if (how === 0) out[place] = value;
      else out.splice(place, how === 1 ? 1 : 0, ...(how === 1 ? [] : [value]));
    }
    return Uint8Array.from(out);
  });
}
