/**
 * Integer ids for the names of a graph. Append-only, and shared by a snapshot
 * and all that were made from it: an id never changes its meaning, and an older
 * snapshot simply has nothing at ids that came later.
 *
 * A node is anything that a binding or an edge can name: a subject, a group, an
 * object, a wildcard ("user:*", "*"), a type scope ("doc:*"), or a pattern scope
 * (whose name is JSON, so that it cannot meet an object of the same text).
 *
 * The names of a graph that was loaded as a whole stay in its flat arrays; those that come later stand behind them.
 */
import { typeOf } from '../model/names.ts';
import type { FlatNames } from './flat/names.ts';

/** The node of "*": everyone among principals, the tenant among scopes. */
export const rootNode = 0;

const noType = -1;

/** What names begin with where a graph was loaded as a whole. */
export interface BaseNames {
  readonly flat: FlatNames;
  /** By id. */
  readonly types: readonly string[];
  readonly roles: readonly string[];
}

/** The nodes of a type, ascending; more may come behind them. */
export interface NodeList {
  readonly length: number;
  at(index: number): number;
}

export class Names {
  readonly types: string[] = [];
  readonly roles: string[] = [];
  /** By type: the node of "type:*", or -1. */
  readonly typeWildcards: number[] = [];
  readonly #flat: FlatNames | undefined;
  /** How many names are flat: those behind them have the numbers from here on. */
  readonly #flatCount: number;
  readonly #later: string[] = [];
  readonly #laterTypes: number[] = [];
  readonly #laterIds = new Map<string, number>();
  readonly #nodesByType: TypeNodes[] = [];
  readonly #typeIds = new Map<string, number>();
  readonly #roleIds = new Map<string, number>();
  readonly #permissionIds: Map<string, number>[] = [];
  #permissionCount = 0;
  /** How to take back what was interned since remember(), the last first. */
  #undo: (() => void)[] | undefined;

  /** @param base Its names have the numbers that they have there; the first is "*". */
  constructor(base?: BaseNames) {
    this.#flat = base?.flat;
    this.#flatCount = base?.flat.count ?? 0;
    for (const [id, type] of (base?.types ?? []).entries()) {
      this.internType(type);
      this.typeWildcards[id] = base?.flat.find(`${type}:*`) ?? -1;
    }
    for (const role of base?.roles ?? []) this.internRole(role);
    this.internNode('*');
  }

  get nodeCount(): number {
    return this.#flatCount + this.#later.length;
  }

  /** The name of a node that is there. */
  nodeName(node: number): string {
    const name = node < this.#flatCount ? this.#flat?.nameOf(node) : this.#later[node - this.#flatCount];
    return name as string;
  }

  /** The id of a node's type, or -1. */
  nodeType(node: number): number {
    const type = node < this.#flatCount ? this.#flat?.types[node] : this.#laterTypes[node - this.#flatCount];
    return type as number;
  }

  /** The nodes of a type; none of -1. */
  nodesOfType(type: number): NodeList {
    return type < 0 ? noNodes : (this.#nodesByType[type] as TypeNodes);
  }

  /**
   * Names that come from here on are forgotten when the function that this returns is called: for graphs that are
   * tried out, and dropped. Between the two calls nobody else may intern, and no number may outlive the second.
   */
  remember(): () => void {
    const undo: (() => void)[] = [];
    this.#undo = undo;
    return () => {
      for (const step of undo.reverse()) step();
      this.#undo = undefined;
    };
  }

  /** The node of a name, or -1. */
  findNode(name: string): number {
    const flat = this.#flat === undefined ? -1 : this.#flat.find(name);
    return flat >= 0 ? flat : (this.#laterIds.get(name) ?? -1);
  }

  internNode(name: string): number {
    const known = this.findNode(name);
    if (known >= 0) return known;
    const node = this.nodeCount;
    const hasType = name.indexOf(':') > 0 && !name.startsWith('{');
    const type = hasType ? this.internType(typeOf(name)) : noType;
    this.#later.push(name);
    this.#laterTypes.push(type);
    this.#laterIds.set(name, node);
    const isWildcard =
      type !== noType && name.length === (this.types[type] as string).length + 2 && name.endsWith(':*');
    if (type !== noType) this.#nodesByType[type]?.later.push(node);
    if (isWildcard) this.typeWildcards[type] = node;
    this.#undo?.push(() => {
      this.#later.pop();
      this.#laterTypes.pop();
      this.#laterIds.delete(name);
      if (type !== noType) this.#nodesByType[type]?.later.pop();
      if (isWildcard) this.typeWildcards[type] = -1;
    });
    return node;
  }

  findType(type: string): number {
    return this.#typeIds.get(type) ?? noType;
  }

  internType(type: string): number {
    const known = this.#typeIds.get(type);
    if (known !== undefined) return known;
    const id = this.types.length;
    this.types.push(type);
    this.typeWildcards.push(-1);
    const isFlat = this.#flat !== undefined && id < this.#flat.typeCount;
    this.#nodesByType.push(new TypeNodes(isFlat ? this.#flat?.ofType(id) : undefined));
    this.#permissionIds.push(new Map());
    this.#typeIds.set(type, id);
    this.#undo?.push(() => {
      this.types.pop();
      this.typeWildcards.pop();
      this.#nodesByType.pop();
      this.#permissionIds.pop();
      this.#typeIds.delete(type);
    });
    return id;
  }

  internRole(role: string): number {
    const known = this.#roleIds.get(role);
    if (known !== undefined) return known;
    const id = this.roles.length;
    this.roles.push(role);
    this.#roleIds.set(role, id);
    this.#undo?.push(() => {
      this.roles.pop();
      this.#roleIds.delete(role);
    });
    return id;
  }

  findRole(role: string): number {
    return this.#roleIds.get(role) ?? -1;
  }

  /** The id of a literal permission that some role names, or -1. */
  findPermission(type: number, action: string): number {
    return type < 0 ? -1 : ((this.#permissionIds[type] as Map<string, number>).get(action) ?? -1);
  }

  internPermission(type: number, action: string): number {
    const ids = this.#permissionIds[type] as Map<string, number>;
    const known = ids.get(action);
    if (known !== undefined) return known;
    const id = this.#permissionCount++;
    ids.set(action, id);
    this.#undo?.push(() => {
      ids.delete(action);
      this.#permissionCount--;
    });
    return id;
  }
}

class TypeNodes implements NodeList {
  readonly later: number[] = [];
  readonly #flat: Int32Array;

  constructor(flat: Int32Array = new Int32Array(0)) {
    this.#flat = flat;
  }

  get length(): number {
    return this.#flat.length + this.later.length;
  }

  at(index: number): number {
    const node = index < this.#flat.length ? this.#flat[index] : this.later[index - this.#flat.length];
    return node as number;
  }
}

const noNodes: NodeList = new TypeNodes();
