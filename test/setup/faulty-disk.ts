/**
 * A disk that fails as a test tells it: real files, and the calls of Node that reach them, each of which may take some
 * turns, be refused, or write a part and then be refused. Only what is below one directory is touched.
 */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface FaultyDisk {
  /** What the next calls do; where it is empty, all is well. */
  readonly faults: DiskFault[];
  /** While it is full, files can be begun and written over, and become no longer; no directory can be made. */
  isFull: boolean;
  /** Turns of the event loop that each call takes before it begins. */
  turns: number;
  restore(): void;
}

export type DiskFault = 'none' | 'refused' | 'part';

type Call = (...args: never[]) => unknown;

export async function createFaultyDisk(directory: string): Promise<FaultyDisk> {
  const disk: FaultyDisk = { faults: [], isFull: false, turns: 0, restore };
  const originals: { readonly of: object; readonly name: string; readonly call: Call }[] = [];
  const handles = new WeakSet<FileHandle>();
  const descriptors = new Set<number>();
  const error = (code: string) => Object.assign(new Error(`${code}: by the test`), { code });
  const isOurs = (path: unknown) => String(path).startsWith(directory);

  function replace<T extends object>(of: T, name: keyof T & string, make: (original: Call) => Call): void {
    const original = of[name] as Call;
    originals.push({ of, name, call: original });
    Object.assign(of, { [name]: make(original) });
  }
  function restore(): void {
    for (const { of, name, call } of originals.splice(0)) Object.assign(of, { [name]: call });
    syncBuiltinESMExports();
  }
  const next = (grows: boolean): DiskFault => {
    const fault = disk.faults.shift() ?? 'none';
    return fault === 'none' && grows && disk.isFull ? 'part' : fault;
  };
  const pause = async () => {
    for (let i = 0; i < disk.turns; i++) await nextTurn();
  };

  const some = await promises.open('/dev/null', 'r');
  const prototype = Object.getPrototypeOf(some) as FileHandle;
  await some.close();
  replace(
    prototype,
    'write',
    (original) =>
      async function (this: FileHandle, bytes: Buffer, offset: number) {
        if (!handles.has(this)) return original.call(this, bytes as never, offset as never);
        await pause();
        const fault = next(true);
        const left = bytes.length - offset;
        if (fault === 'none') return original.call(this, bytes as never, offset as never);
        if (fault === 'part') await original.call(this, bytes as never, offset as never, (left >> 1) as never);
        throw error('ENOSPC');
      } as Call,
  );
  for (const name of ['truncate', 'datasync', 'sync', 'read'] as const) {
    replace(
      prototype,
      name,
      (original) =>
        async function (this: FileHandle, ...args: never[]) {
          if (!handles.has(this)) return original.apply(this, args);
          await pause();
          if (next(false) === 'none') return original.apply(this, args);
          throw error('EIO');
        } as Call,
    );
  }
  replace(
    prototype,
    'close',
    (original) =>
      function (this: FileHandle) {
        // Its number may be that of another file next.
        descriptors.delete(this.fd);
        return original.call(this);
      } as Call,
  );
  replace(
    promises,
    'open',
    (original) =>
      (async (...args: never[]) => {
        if (!isOurs(args[0])) return original(...args);
        await pause();
        if (next(false) !== 'none') throw error('ENOSPC');
        const handle = (await original(...args)) as FileHandle;
        handles.add(handle);
        descriptors.add(handle.fd);
        return handle;
      }) as Call,
  );
  for (const [name, grows] of [
    ['mkdir', true],
    ['rm', false],
    ['rename', false],
    ['readdir', false],
  ] as const) {
    replace(
      promises,
      name,
      (original) =>
        (async (...args: never[]) => {
          if (!isOurs(args[0])) return original(...args);
          await pause();
          if (next(grows && !fs.existsSync(String(args[0]))) !== 'none') throw error('EIO');
          return original(...args);
        }) as Call,
    );
  }
  replace(
    promises,
    'writeFile',
    (original) =>
      (async (...args: never[]) => {
        if (!isOurs(args[0])) return original(...args);
        await pause();
        if (next(!fs.existsSync(String(args[0]))) !== 'none') throw error('ENOSPC');
        return original(...args);
      }) as Call,
  );
  replace(
    fs,
    'writeSync',
    (original) =>
      ((fd: number, bytes: Buffer, offset: number) => {
        if (!descriptors.has(fd)) return original(fd as never, bytes as never, offset as never);
        const fault = next(true);
        if (fault === 'none') return original(fd as never, bytes as never, offset as never);
        if (fault === 'part')
          original(fd as never, bytes as never, offset as never, ((bytes.length - offset) >> 1) as never);
        throw error('ENOSPC');
      }) as Call,
  );
  for (const name of ['fdatasyncSync', 'ftruncateSync'] as const) {
    replace(
      fs,
      name,
      (original) =>
        ((fd: number, ...args: never[]) => {
          if (!descriptors.has(fd) || next(false) === 'none') return original(fd as never, ...args);
          throw error('EIO');
        }) as Call,
    );
  }
  syncBuiltinESMExports();
  return disk;
}
