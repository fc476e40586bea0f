/**
 * Bindings. With a subject, or without any filter of a place, they come in the order of principals and then scopes;
 * with an object or a scope and no subject, in the order of scopes and then principals. Both have an index, and with
 * both a subject and a place only what is between them is looked at. A role alone has none: that looks at every
 * binding, with pauses. Bindings that have ended are listed: they are still there.
 */
import { sharedWalk } from '../../engine/walk.ts';
import { type Binding, toBindingRecord } from '../../graph/binding.ts';
import type { Chunked } from '../../graph/chunked.ts';
import { at, type Paged } from '../../graph/paged.ts';
import { chunksFrom } from '../../graph/seek.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import type { BindingRecord } from '../../model/entity.ts';
import type { BindingFilter, Listed, Page } from '../api.ts';
import { checkBindingFilter, parseScopeFilter } from './check-filter.ts';
import type { ReadGate } from './gate.ts';
import { type Listing, lookedAtInTurn, readPage } from './page.ts';
import type { Position } from './page-token.ts';

/**
 * `throughGroups`: also those of the groups and wildcards that the subject is in at `gate.nowMs`. `inherited`: also
 * those that reach the object from its ancestors, its type, patterns and the tenant; not those that do not cascade.
 * @throws PosternError NOT_PERMITTED, INVALID_SUBJECT, INVALID_OBJECT, INVALID_REQUEST, and what readPage throws
 */
export async function listBindings(
  gate: ReadGate,
  filter: BindingFilter,
  page: Page,
  signal?: AbortSignal,
): Promise<Listed<BindingRecord>> {
  checkBindingFilter(filter);
  const place = parseScopeFilter(filter.scope);
  gate.bindings(filter, place?.scope.kind === 'object' ? place.scope.object : '');
  const { snapshot } = gate;
  const { names } = snapshot;
  const { subject, throughGroups, role, object, inherited } = filter;
  const side = subject === '' && (object !== '' || place !== undefined) ? byScopes : byPrincipals;
  const listing: Listing<Binding, BindingRecord> = {
    asked: ['bindings', subject, throughGroups, role, object, inherited, place?.node ?? ''],
    shape: ['number', 'number', 'number', 'number', 'string'],
    names,
    scan(after) {
      const principals = subject === '' ? undefined : principalsFor(gate, filter);
      const scopes = object === '' && place === undefined ? undefined : scopesFor(snapshot, filter, place?.node);
      const roleId = role === '' ? undefined : names.findRole(role);
      const objectNode = inherited ? names.findNode(object) : undefined;
      const isListed = (binding: Binding) =>
        (roleId === undefined || binding.role === roleId) &&
        (binding.cascade || objectNode === undefined || binding.scope === objectNode);
      const [outer, inner] = side === byScopes ? [scopes, undefined] : [principals, scopes];
      return scan(side, snapshot, outer, inner, isListed, after);
    },
    positionOf: (binding) => positionOn(side, binding),
    toRecord: (binding) => toBindingRecord(binding, names),
  };
  return readPage(gate, listing, page, signal);
}

/** One of the two indexes: its outer and its inner order. */
interface Side {
  readonly column: (snapshot: Snapshot) => Paged<Chunked<Binding>>;
  readonly outer: 'principal' | 'scope';
  readonly inner: 'principal' | 'scope';
}

const byPrincipals: Side = { column: (snapshot) => snapshot.bindingsOf, outer: 'principal', inner: 'scope' };
const byScopes: Side = { column: (snapshot) => snapshot.bindingsAt, outer: 'scope', inner: 'principal' };

function principalsFor({ snapshot, nowMs }: ReadGate, filter: BindingFilter): readonly number[] {
  const node = snapshot.names.findNode(filter.subject);
  if (!filter.throughGroups) return node < 0 ? [] : [node];
  sharedWalk.expandSubject(snapshot, filter.subject, node, [], undefined, nowMs);
  return sharedWalk.principals.toArray().sort(ascending);
}

/** @param scope The name of the scope's node, where one is asked for. */
function scopesFor(snapshot: Snapshot, filter: BindingFilter, scope: string | undefined): readonly number[] {
  const { names } = snapshot;
  const exact = scope === undefined ? undefined : names.findNode(scope);
  if (filter.object === '') return [exact ?? -1];
  const node = names.findNode(filter.object);
  // Which action is asked about makes no difference to the scopes.
  if (filter.inherited) sharedWalk.expandObject(snapshot, filter.object, node, '');
  const scopes = filter.inherited ? sharedWalk.scopes.toArray() : [node];
  return scopes.filter((other) => exact === undefined || other === exact).sort(ascending);
}

/** @param outers Ascending; undefined for all. @param inners The same. */
function* scan(
  side: Side,
  snapshot: Snapshot,
  outers: readonly number[] | undefined,
  inners: readonly number[] | undefined,
  isListed: (binding: Binding) => boolean,
  after: Position | undefined,
): Generator<Binding | undefined, void> {
  const column = side.column(snapshot);
  const first = (after?.[0] as number | undefined) ?? 0;
  const end = outers === undefined ? snapshot.names.nodeCount : outers.length;
  let looked = 0;
  for (let i = outers === undefined ? first : 0; i < end; i++) {
    const outer = outers === undefined ? i : (outers[i] as number);
    if (outer < first) continue;
    const list = at(column, outer);
    const isDone = (binding: Binding) => after !== undefined && comparePositions(positionOn(side, binding), after) <= 0;
    if (list === undefined) looked++;
    else {
      for (const part of inners === undefined ? [undefined] : inners) {
        const isBefore = (binding: Binding) => (part !== undefined && binding[side.inner] < part) || isDone(binding);
        looked++;
        chunks: for (const chunk of chunksFrom(list, isBefore)) {
          for (const binding of chunk) {
            if (part !== undefined && binding[side.inner] !== part) break chunks;
            if (isListed(binding)) yield binding;
            looked++;
          }
          if (looked >= lookedAtInTurn) {
            looked = 0;
            yield undefined;
          }
        }
      }
    }
    if (looked >= lookedAtInTurn) {
      looked = 0;
      yield undefined;
    }
  }
}

/** In the order of byScope and byPrincipal of graph/binding.ts: a binding without a name comes before those with one. */
function positionOn(side: Side, binding: Binding): Position {
  const name = binding.extra?.name;
  const deny = binding.deny ? 1 : 0;
  return [binding[side.outer], binding[side.inner], binding.role, deny, name === undefined ? '' : `.${name}`];
}

function comparePositions(a: Position, b: Position): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i] as number | string, b[i] as number | string];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function ascending(a: number, b: number): number {
  return a - b;
}
