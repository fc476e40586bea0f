import { mkdir, mkdtemp, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FileWatch, type WatchOptions, watchPolicyFile } from '../../src/policy-file/watch.ts';

let directory = '';
let file = '';
let watch: FileWatch | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-watch-'));
  file = join(directory, 'policy.yaml');
});
afterEach(async () => {
  await watch?.close();
  await rm(directory, { recursive: true });
});

async function start(path: string, options: WatchOptions = {}) {
  const onChange = vi.fn();
  watch = watchPolicyFile(path, onChange, { debounceMs: 5, ...options });
  await watch.ready;
  return onChange;
}

describe('a change is told', () => {
  test('when the file is written in place', async () => {
    await writeFile(file, 'a');
    const onChange = await start(file);
    await writeFile(file, 'b');
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
  });

  test('every time an editor puts another file in its place', async () => {
    await writeFile(file, 'a');
    const onChange = await start(file);
    for (const text of ['b', 'c', 'd']) {
      onChange.mockClear();
      await writeFile(join(directory, '.policy.yaml.swp'), text);
      await rename(join(directory, '.policy.yaml.swp'), file);
      await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    }
  });

  test('when it is removed, and when it comes back', async () => {
    await writeFile(file, 'a');
    const onChange = await start(file);
    await unlink(file);
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    onChange.mockClear();
    await writeFile(file, 'b');
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
  });

  test('every time Kubernetes swaps the link that leads to it', async () => {
    const publish = async (version: string) => {
      await mkdir(join(directory, version));
      await writeFile(join(directory, version, 'policy.yaml'), version);
      await symlink(version, join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    await publish('..v1');
    await symlink(join('..data', 'policy.yaml'), file);
    const onChange = await start(file, { recheckMs: 3_600_000 });
    for (const version of ['..v2', '..v3', '..v4']) {
      onChange.mockClear();
      await publish(version);
      await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
    }
  });

  test('where it is a link to another directory, by looking now and then', async () => {
    await mkdir(join(directory, 'elsewhere'));
    const target = join(directory, 'elsewhere', 'real.yaml');
    await writeFile(target, 'a');
    await symlink(target, file);
    const onChange = await start(file, { recheckMs: 10 });
    await writeFile(target, 'longer');
    await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
  });
});

test('other files of the directory are no change', async () => {
  await writeFile(file, 'a');
  const onChange = await start(file, { debounceMs: 100 });
  await writeFile(join(directory, 'other.yaml'), 'a');
  await writeFile(join(directory, 'other.yaml'), 'b');
  // Events come in order: when this one is told, the others have been seen.
  await utimes(file, 1, 1);
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
  expect(onChange).toHaveBeenCalledTimes(1);
});

test('many writes at once are told together', async () => {
  await writeFile(file, '0');
  const onChange = await start(file, { debounceMs: 150 });
  for (let i = 1; i <= 20; i++) await writeFile(file, String(i));
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
  expect(onChange.mock.calls.length).toBeLessThan(5);
});

test('nothing is told after it is closed, and closing twice is closing once', async () => {
  await writeFile(file, 'a');
  const onChange = await start(file);
  await Promise.all([watch?.close(), watch?.close()]);
  await writeFile(file, 'b');
  const other = await start(file);
  await writeFile(file, 'c');
  await vi.waitFor(() => expect(other).toHaveBeenCalled());
  expect(onChange).not.toHaveBeenCalled();
});

test('a file that is not there yet is told when it comes', async () => {
  const onChange = await start(file);
  await writeFile(file, 'a');
  await vi.waitFor(() => expect(onChange).toHaveBeenCalled());
});
