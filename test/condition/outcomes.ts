import { messageOf } from '../../src/model/errors.ts';

/** What is wrong with each text; empty where it compiles. */
export function outcomesOf(texts: readonly string[], compile: (text: string) => unknown): string[] {
  return texts.map((text) => {
    try {
      compile(text);
      return '';
    } catch (error) {
      return messageOf(error);
    }
  });
}
