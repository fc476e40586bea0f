/** Work that takes turns: commits of one process to one tenant would only be in each other's way. */

/** Runs work for a key after all work that was given for it before; what fails does not hold up the next. */
export type InTurn = <T>(key: object, work: () => Promise<T>) => Promise<T>;

export function createTurns(): InTurn {
  const last = new WeakMap<object, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(
      key,
      turn.catch(() => {}),
    );
    return turn;
  };
}
