/**
 * What was made of the texts that were seen lately: records repeat their names
 * and bindings, and a hash costs as much as ten records. Bounded; what was not
 * asked for during a generation goes with the next.
 */

/** Texts in a generation; there are two. */
const maxTexts = 8_192;
/** What is longer is not repeated as it is. */
const maxLength = 512;

/** The same function, which must depend on its argument alone, and remembers. What it throws is not remembered. */
export function remembering<Result>(make: (text: string) => Result): (text: string) => Result {
  let young = new Map<string, Result>();
  let old = new Map<string, Result>();
  return (text) => {
    const known = young.get(text);
    if (known !== undefined) return known;
    const result = old.get(text) ?? make(text);
    if (text.length <= maxLength) {
      if (young.size === maxTexts) {
        old = young;
        young = new Map();
      }
      young.set(text, result);
    }
    return result;
  };
}
