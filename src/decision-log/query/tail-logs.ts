/**
 * Several tenants' logs, followed as one stream, at the pace of its reader: what is read and not taken yet is bounded,
 * and then nothing more is read. Called by administration and by `postern tail`. What is written twice is given once.
 */
import type { ReadOptions } from '../filter.ts';
import { Intake, type TailEvent } from './intake.ts';
import { copyKeyOf, type Selection, selects } from './selection.ts';
import type { LogSource } from './source.ts';

export interface TailedTenant {
  readonly name: string;
  /** From now on, from the oldest that is selected, or with so many of the newest. */
  readonly from: ReadOptions['from'];
}

export interface TailQuestion {
  /** Those that come while it is followed are followed, too. */
  readonly tenants: Iterable<TailedTenant> | AsyncIterable<TailedTenant>;
  readonly selection: Selection;
  /** Whether to go on at the end; default true. */
  readonly follow?: boolean;
}

export interface TailSettings {
  /** How long nothing may come before there is an event that says so, in milliseconds. */
  readonly heartbeatMs: number;
}

/** How many records are remembered, so that their copies are known: copies come close behind each other. */
const mostRemembered = 10_000;

/**
 * Events until the signal aborts, or the end where it is not followed.
 * @throws PosternError STORE_UNAVAILABLE where it is not followed, and defects
 */
export async function* tailLogs(
  source: Pick<LogSource, 'follow'>,
  { tenants, selection, follow = true }: TailQuestion,
  { heartbeatMs }: TailSettings,
  signal: AbortSignal,
): AsyncGenerator<TailEvent, void> {
  const own = new AbortController();
  const ended = AbortSignal.any([signal, own.signal]);
  const intake = new Intake();
  const close = () => intake.close();
  ended.addEventListener('abort', close, { once: true });
  if (ended.aborted) close();
  const isCopy = createCopies();

  const run = (work: () => Promise<void>) => {
    intake.begin();
    void work().then(
      () => intake.done(),
      (error: unknown) => intake.fail(error),
    );
  };
  const pump = async ({ name: tenant, from }: TailedTenant): Promise<void> => {
    const { revision: _, ...filter } = selection;
    const options: ReadOptions = {
      from,
      follow,
      filter,
      signal: ended,
      onGarbage: ({ where, problem }) => intake.garbage(where, problem),
      onProblem: (problem) => intake.setProblem(tenant, problem),
      onRecovered: () => intake.setProblem(tenant, ''),
      onLoss: (atLeast) => intake.lose(tenant, atLeast),
    };
    for await (const { record, line } of source.follow(tenant, options)) {
      if (ended.aborted) break;
      if (!selects(selection, record) || isCopy(line)) continue;
      await intake.add({ line, record });
    }
  };

  run(async () => {
    for await (const tenant of tenants) {
      if (ended.aborted) break;
      run(() => pump(tenant));
    }
  });
  try {
    for (let event = await intake.take(heartbeatMs); event !== undefined; event = await intake.take(heartbeatMs)) {
      yield event;
    }
  } finally {
    own.abort();
  }
}

function createCopies(): (line: string) => boolean {
  const remembered = new Set<string>();
  return (line) => {
    const key = copyKeyOf(line);
    if (remembered.has(key)) return true;
    remembered.add(key);
    if (remembered.size > mostRemembered) remembered.delete(remembered.values().next().value as string);
    return false;
  };
}
