/**
 * What becomes of the fields of one record while they are masked: applies masks
 * so that one that fails costs its field and nothing else, and notes the names
 * of the fields that are not as they were.
 */

/** Told of a field whose mask failed, never of its value. Must not throw. */
export type OnMaskFailure = (field: string) => void;

export class FieldNotes {
  /** In the words of the record, each once. */
  readonly masked: string[] = [];
  readonly #onFailure: OnMaskFailure;

  constructor(onFailure: OnMaskFailure) {
    this.#onFailure = onFailure;
  }

  note(field: string): void {
    if (!this.masked.includes(field)) this.masked.push(field);
  }

  /** What the mask makes of a value; `dropped` where it makes nothing of it, or fails. */
  apply<Value, Dropped>(field: string, value: Value, mask: (value: Value) => Value | undefined, dropped: Dropped) {
    try {
      const shown = mask(value);
      if (shown !== value) this.note(field);
      return shown ?? dropped;
    } catch {
      this.fail(field);
      return dropped;
    }
  }

  /** Notes a field whose mask failed. */
  fail(field: string): void {
    this.note(field);
    this.#onFailure(field);
  }
}
