/**
 * Groups and registered objects, in the order of their nodes. A page looks at the nodes that the filters leave: one
 * for an exact name, the children of a parent, those of a type, or else all.
 */

import type { Edge } from '../../graph/edge.ts';
import { compileGlob, matchesGlob } from '../../graph/glob.ts';
import { at } from '../../graph/paged.ts';
import { toObjectRecord } from '../../graph/records.ts';
import { chunksFrom, firstAfter } from '../../graph/seek.ts';
import type { Snapshot } from '../../graph/snapshot.ts';
import type { GroupRecord, ObjectRecord } from '../../model/entity.ts';
import type { Listed, ObjectFilter, Page } from '../api.ts';
import { checkGlob, checkObjectFilter } from './check-filter.ts';
import type { ReadGate } from './gate.ts';
import { type Listing, lookedAtInTurn, readPage, type Scan } from './page.ts';
import type { Position } from './page-token.ts';

/**
 * The groups that have a record or a member; one without a record is listed with its name alone.
 * @param filter `name`: a glob over the whole name, "group:team-*"; empty for all.
 * @throws PosternError NOT_PERMITTED, INVALID_REQUEST, and what readPage throws
 */
export async function listGroups(
  gate: ReadGate,
  filter: { readonly name: string },
  page: Page,
  signal?: AbortSignal,
): Promise<Listed<GroupRecord>> {
  checkGlob(filter.name);
  gate.groups(filter.name);
  const { snapshot } = gate;
  const isGroup = (node: number) =>
    at(snapshot.groupRecords, node) !== undefined || at(snapshot.membersOf, node) !== undefined;
  const glob = filter.name === '' ? undefined : compileGlob(filter.name);
  const exact = glob !== undefined && glob.middle === undefined;
  const among: Among = exact ? { node: snapshot.names.findNode(filter.name) } : { type: 'group' };
  const listing: Listing<number, GroupRecord> = {
    ...inNodeOrder(snapshot, ['groups', filter.name], among, (node) => {
      return isGroup(node) && (exact || glob === undefined || matchesGlob(glob, snapshot.names.nodeName(node)));
    }),
    toRecord: (node) => at(snapshot.groupRecords, node) ?? { kind: 'group', group: snapshot.names.nodeName(node) },
  };
  return readPage(gate, listing, page, signal);
}

/**
 * The registered objects.
 * @throws PosternError NOT_PERMITTED, INVALID_OBJECT, INVALID_TYPE, and what readPage throws
 */
export async function listObjects(
  gate: ReadGate,
  filter: ObjectFilter,
  page: Page,
  signal?: AbortSignal,
): Promise<Listed<ObjectRecord>> {
  checkObjectFilter(filter);
  gate.objects(filter);
  const { snapshot } = gate;
  const { names } = snapshot;
  const { type, parent, object } = filter;
  const typeId = names.findType(type);
  const parentNode = names.findNode(parent);
  const among: Among =
    object !== '' ? { node: names.findNode(object) } : parent !== '' ? { below: parentNode } : { type };
  const listing: Listing<number, ObjectRecord> = {
    ...inNodeOrder(snapshot, ['objects', type, parent, object], among, (node) => {
      if (at(snapshot.registered, node) === undefined) return false;
      if (type !== '' && names.nodeType(node) !== typeId) return false;
      return parent === '' || (at(snapshot.parentsOf, node) ?? []).some((edge) => edge.node === parentNode);
    }),
    toRecord: (node) => toObjectRecord(snapshot, node),
  };
  return readPage(gate, listing, page, signal);
}

/** Which nodes to look at; `type` empty: all. */
type Among = { readonly node: number } | { readonly below: number } | { readonly type: string };

function inNodeOrder(
  snapshot: Snapshot,
  asked: unknown,
  among: Among,
  isListed: (node: number) => boolean,
): Omit<Listing<number, never>, 'toRecord'> {
  return {
    asked,
    shape: ['number'],
    names: snapshot.names,
    positionOf: (node) => [node],
    scan: (after) => scan(candidates(snapshot, among, after), isListed),
  };
}

function* scan(parts: Iterable<readonly number[]>, isListed: (node: number) => boolean): Scan<number> & Generator {
  let looked = 0;
  for (const part of parts) {
    for (const node of part) {
      if (isListed(node)) yield node;
      if (++looked % lookedAtInTurn === 0) yield undefined;
    }
  }
}

/** Nodes in ascending order, part by part. */
function* candidates(
  snapshot: Snapshot,
  among: Among,
  after: Position | undefined,
): Generator<readonly number[], void> {
  const { names } = snapshot;
  const last = (after?.[0] as number | undefined) ?? -1;
  if ('node' in among) {
    if (among.node > last) yield [among.node];
  } else if ('below' in among) {
    const list = among.below < 0 ? undefined : at(snapshot.childrenOf, among.below);
    for (const chunk of chunksFrom(list, (edge: Edge) => edge.node <= last)) yield chunk.map((edge) => edge.node);
  } else if (among.type !== '') {
    const nodes = names.nodesOfType(names.findType(among.type));
    const end = nodes.length;
    for (let i = firstAfter(nodes, last); i < end; i += partSize) {
      yield Array.from({ length: Math.min(partSize, end - i) }, (_, offset) => nodes.at(i + offset));
    }
  } else {
    const end = names.nodeCount;
    for (let i = last + 1; i < end; i += partSize) {
      yield Array.from({ length: Math.min(partSize, end - i) }, (_, offset) => i + offset);
    }
  }
}

const partSize = 512;
