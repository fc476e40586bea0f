/** Graphs for benchmarks: made from a fixed seed, so that every run measures the same one. */
import type { EntityRecord } from '../src/model/entity.ts';
import type { Query } from '../src/model/query.ts';

/** A small generator with good enough spread; the same numbers in every run. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export interface GraphSize {
  readonly bindings: number;
  readonly users: number;
  readonly groups: number;
  readonly objects: number;
  readonly roles: number;
}

/** The proportions of the million-binding graph at any size. */
export function sized(bindings: number): GraphSize {
  return {
    bindings,
    users: Math.ceil(bindings / 10),
    groups: Math.ceil(bindings / 100),
    objects: Math.ceil(bindings / 2),
    roles: Math.min(1_000, Math.ceil(bindings / 10)),
  };
}

/**
 * A graph of users in nested groups, documents in folders, and bindings all over,
 * with one denial in twenty. In it stands a core that is the same at every size:
 * "user:core" in 10 groups, and "doc:core" with 5 ancestors.
 */
export function* randomGraph(size: GraphSize): Generator<EntityRecord> {
  const random = createRandom(1);
  for (let r = 0; r < size.roles; r++) {
    yield { kind: 'role', name: `role${r}`, permissions: [`doc:action${r % 20}`, `doc:only${r}`, 'folder:list'] };
  }
  for (let g = 20; g < size.groups; g++) {
    yield { kind: 'member', group: `group:g${random(Math.ceil(g / 10))}`, member: `group:g${g}` };
  }
  for (let u = 0; u < size.users; u++) {
    for (let k = 0; k < 3; k++) yield { kind: 'member', group: `group:g${random(size.groups)}`, member: `user:u${u}` };
  }
  const folders = Math.ceil(size.objects / 20);
  for (let f = 0; f < folders; f++) {
    yield {
      kind: 'object',
      object: `folder:f${f}`,
      ...(f === 0 ? {} : { parents: [{ object: `folder:f${random(Math.ceil(f / 4))}` }] }),
    };
  }
  for (let o = folders; o < size.objects; o++) {
    yield { kind: 'object', object: `doc:d${o}`, parents: [{ object: `folder:f${random(folders)}` }] };
  }
  for (let b = 0; b < size.bindings; b++) {
    const subject = random(4) === 0 ? `group:g${random(size.groups)}` : `user:u${random(size.users)}`;
    const scope = random(4) === 0 ? `folder:f${random(folders)}` : `doc:d${folders + random(size.objects - folders)}`;
    yield {
      kind: 'binding',
      subject,
      role: `role${random(size.roles)}`,
      scope,
      ...(random(20) === 0 ? { effect: 'deny' as const } : {}),
    };
  }
  yield* core();
}

function* core(): Generator<EntityRecord> {
  for (let g = 0; g < 10; g++) {
    const member = g < 5 ? 'user:core' : `group:core${g - 5}`;
    yield { kind: 'member', group: `group:core${g}`, member };
    yield { kind: 'binding', subject: `group:core${g}`, role: `role${g}`, scope: g < 3 ? '*' : `doc:other${g}` };
  }
  for (let f = 0; f < 5; f++) {
    yield {
      kind: 'object',
      object: `folder:core${f}`,
      ...(f === 0 ? {} : { parents: [{ object: `folder:core${f - 1}` }] }),
    };
  }
  yield { kind: 'object', object: 'doc:core', parents: [{ object: 'folder:core4' }] };
  yield { kind: 'binding', subject: 'group:core9', role: 'role15', scope: 'folder:core0' };
  yield { kind: 'binding', subject: 'group:core8', role: 'role16', scope: 'folder:core1', effect: 'deny' };
}

const ask = (subject: string, action: string, object: string): Query => ({
  subject,
  action,
  object,
  reach: 'inherited',
  assertedGroups: [],
});

/** Questions about the core: allowed through two groups and five folders, denied by a binding, denied for want of a permission. */
export const coreQuestions: readonly Query[] = [
  ask('user:core', 'action15', 'doc:core'),
  ask('user:core', 'action16', 'doc:core'),
  ask('user:core', 'only17', 'doc:core'),
  ask('user:core', 'action1', 'doc:core'),
];

/** Questions of anyone about anything: in a large graph, hardly one of them finds its data in a cache. */
export function randomQuestions(size: GraphSize, count: number): Query[] {
  const random = createRandom(2);
  const folders = Math.ceil(size.objects / 20);
  return Array.from({ length: count }, () =>
    ask(`user:u${random(size.users)}`, `action${random(20)}`, `doc:d${folders + random(size.objects - folders)}`),
  );
}
