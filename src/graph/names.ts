/**
 * Integer ids for the names of a graph. Append-only, and shared by a snapshot
 * and all that were made from it: an id never changes its meaning, and an older
 * snapshot simply has nothing at ids that came later.
 *
 * A node is anything that a binding or an edge can name: a subject, a group, an
 * object, a wildcard ("user:*", "*"), a type scope ("doc:*"), or a pattern scope
 * (whose name is JSON, so that it cannot meet an object of the same text).
 */
import { typeOf } from '../model/names.ts';

/** The node of "*": everyone among principals, the tenant among scopes. */
export const rootNode = 0;

const noType = -1;

export class Names {
  readonly nodes: string[] = [];
  readonly types: string[] = [];
  readonly roles: string[] = [];
  /** By node: the id of its type, or -1. */
  readonly nodeTypes: number[] = [];
  /** By type: the node of "type:*", or -1. */
  readonly typeWildcards: number[] = [];
  /** By type: its nodes, ascending. */
  readonly nodesByType: number[][] = [];
  readonly #nodeIds = new Map<string, number>();
  readonly #typeIds = new Map<string, number>();
  readonly #roleIds = new Map<string, number>();
  readonly #permissionIds: Map<string, number>[] = [];
  #permissionCount = 0;
  /** How to take back what was interned since remember(), the last first. */
  #undo: (() => void)[] | undefined;

  constructor() {
    this.internNode('*');
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
    return this.#nodeIds.get(name) ?? -1;
  }

  internNode(name: string): number {
    const known = this.#nodeIds.get(name);
    if (known !== undefined) return known;
    const node = this.nodes.length;
    const hasType = name.indexOf(':') > 0 && !name.startsWith('{');
    const type = hasType ? this.internType(typeOf(name)) : noType;
    this.nodes.push(name);
    this.nodeTypes.push(type);
    this.#nodeIds.set(name, node);
    const isWildcard =
      type !== noType && name.length === (this.types[type] as string).length + 2 && name.endsWith(':*');
    if (type !== noType) (this.nodesByType[type] as number[]).push(node);
    if (isWildcard) this.typeWildcards[type] = node;
    this.#undo?.push(() => {
      this.nodes.pop();
      this.nodeTypes.pop();
      this.#nodeIds.delete(name);
      if (type !== noType) this.nodesByType[type]?.pop();
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
    this.nodesByType.push([]);
    this.#permissionIds.push(new Map());
    this.#typeIds.set(type, id);
    this.#undo?.push(() => {
      this.types.pop();
      this.typeWildcards.pop();
      this.nodesByType.pop();
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
