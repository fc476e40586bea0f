/**
 * Makes a snapshot of a tenant's whole graph: a large one from flat arrays that another thread has built, a small one
 * record by record. Called by the replica, which puts it in force.
 */
import { Draft } from '../graph/draft.ts';
import type { FlatGraph } from '../graph/flat/graph.ts';
import { emptySnapshot, type GraphOptions, type Snapshot } from '../graph/snapshot.ts';
import type { ChangeSet } from '../model/change.ts';
import { emptyRevision, type FlatLoadOptions, type Store } from '../store/store.ts';
import { Slices } from './slices.ts';

/** A snapshot, and what it stands on where it was loaded flat. */
export interface LoadedGraph {
  readonly snapshot: Snapshot;
  readonly base: { readonly flat: FlatGraph; readonly since: readonly ChangeSet[] } | undefined;
}

/** Undefined where the store has no policy of the tenant. @throws PosternError what Store.load and Store.loadFlat throw; INVALID_POLICY */
export async function loadGraph(
  store: Store,
  tenant: string,
  graph: GraphOptions,
  options: FlatLoadOptions,
): Promise<LoadedGraph | undefined> {
  const slices = new Slices();
  const loaded = await store.loadFlat?.(tenant, options);
  if (loaded !== undefined) {
    const { flat, since, revision } = loaded;
    // The store was emptied while it was being loaded.
    if (revision.number === emptyRevision.number) return undefined;
    return { snapshot: await standOn(flat, since, revision, graph, slices), base: { flat, since } };
  }
  let draft = new Draft(emptySnapshot(graph));
  const revision = await store.load(
    tenant,
    (changes) => slices.apply(draft, changes),
    () => {
      draft = new Draft(emptySnapshot(graph));
    },
  );
  await slices.pause();
  return revision.number === emptyRevision.number ? undefined : { snapshot: draft.freeze(revision), base: undefined };
}

async function standOn(
  flat: FlatGraph,
  since: readonly ChangeSet[],
  revision: Snapshot['revision'],
  graph: GraphOptions,
  slices: Slices,
): Promise<Snapshot> {
  let snapshot = await slices.over(flat, graph, revision);
  for (const changeSet of since) snapshot = await slices.after(snapshot, changeSet);
  return snapshot;
}
