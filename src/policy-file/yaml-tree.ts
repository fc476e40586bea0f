/**
 * YAML text to plain data, with the place of every part. Owns the YAML library.
 * Called by document.ts. It refuses what a reader of the file would misjudge:
 * keys given twice, keys that are not text, tags, several documents, and
 * aliases that blow up; it knows nothing of policies.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { messageOf } from '../model/errors.ts';
import type { Path } from './problem.ts';
import { explainYamlErrors } from './yaml-errors.ts';

export interface TreeProblem {
  readonly offset: number;
  readonly message: string;
}

export interface YamlTree {
  /** Maps are objects without a prototype. Undefined where there are problems. */
  readonly data: unknown;
  readonly problems: readonly TreeProblem[];
  /** Offset of the key or the value at a path; of the deepest part that exists where it does not. */
  readonly offsetOf: (path: Path, part: 'key' | 'value') => number;
  readonly positionOf: (offset: number) => { readonly line: number; readonly column: number };
}

const stringTag = 'tag:yaml.org,2002:str';
const maxDepth = 32;
/** Values that all aliases together may stand for. */
const maxAliasedValues = 1_000_000;

export function parseYaml(text: string): YamlTree {
  const lines = new LineCounter();
  const positionOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = (problems: readonly TreeProblem[]): YamlTree => {
    return { data: undefined, problems, offsetOf: () => 0, positionOf };
  };
  let document: Document.Parsed;
  try {
    // The library compares every key with every other of its map; toData does it in linear time.
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2' });
  } catch (error) {
    return broken([{ offset: 0, message: `cannot be read as YAML: ${messageOf(error)}` }]);
  }
  const faults = explainYamlErrors(document, text);
  if (faults.length > 0) return broken(faults);
  const directive = document.directives.yaml;
  if (directive.explicit === true && directive.version !== '1.2') {
    return broken([
      { offset: 0, message: `%YAML ${directive.version} is not supported; leave the line out (YAML 1.2)` },
    ]);
  }
  const { data, problems, anchors } = toData(document.contents, positionOf);
  return { data, problems, offsetOf: (path, part) => findOffset(document.contents, anchors, path, part), positionOf };
}

interface Anchor {
  readonly node: Node;
  readonly data: unknown;
  /** Values in it; undefined while it is being read. */
  size: number | undefined;
}

function toData(root: Node | null, positionOf: YamlTree['positionOf']) {
  const problems: TreeProblem[] = [];
  const anchors = new Map<string, Anchor>();
  let values = 0;
  let aliased = 0;

  function convert(node: unknown, depth: number): unknown {
    values++;
    if (depth > maxDepth) return refuse(node, `is nested more than ${maxDepth} deep`);
    if (isNode(node) && !isAlias(node) && node.tag !== undefined && node.tag !== stringTag) {
      return refuse(node, `tags such as ${node.tag.replace('tag:yaml.org,2002:', '!!')} are not supported; remove it`);
    }
    if (isScalar(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, { node, data: node.value, size: 1 });
      return node.value;
    }
    if (isAlias(node)) return resolve(node.source, node);
    if (isMap(node))
      return collect(node, Object.create(null) as Record<string, unknown>, (data) => fillMap(node, data, depth));
    if (isSeq(node)) {
      return collect(node, [] as unknown[], (data) => {
        for (const item of node.items) data.push(convert(item, depth + 1));
      });
    }
    return null;
  }

  function collect<T>(node: Node & { anchor?: string | undefined }, data: T, fill: (data: T) => void): T {
    const before = values;
    const anchor: Anchor = { node, data, size: undefined };
    if (node.anchor !== undefined) anchors.set(node.anchor, anchor);
    fill(data);
    anchor.size = values - before;
    return data;
  }

  function fillMap(map: YAMLMap, data: Record<string, unknown>, depth: number): void {
    const offsets = new Map<string, number>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (key === undefined) continue;
      const offset = offsetOfNode(pair.key);
      const first = offsets.get(key);
      if (first !== undefined) {
        refuse(pair.key, `key ${JSON.stringify(key)} is there twice; the first is on line ${positionOf(first).line}`);
      }
      offsets.set(key, offset);
      data[key] = convert(pair.value, depth + 1);
    }
  }

  function keyOf({ key }: Pair): string | undefined {
    if (!isScalar(key)) {
      refuse(key, isAlias(key) ? 'a key cannot be an alias' : 'a key must be text, not a list or a mapping');
      return undefined;
    }
    const { value } = key;
    if (typeof value === 'string' && value !== '__proto__') return value;
    if (value === '__proto__') refuse(key, 'key "__proto__" is not allowed');
    else if (value === null) refuse(key, 'a key is missing before the colon');
    else refuse(key, `key ${key.source} is a ${typeof value}; put it in quotes: '${key.source}'`);
    return undefined;
  }

  function resolve(name: string, node: Node): unknown {
    const anchor = anchors.get(name);
    if (anchor === undefined) {
      return refuse(
        node,
        `there is no anchor &${name} above; to write text that begins with *, put it in quotes: '*${name}'`,
      );
    }
    if (anchor.size === undefined) return refuse(node, `alias *${name} stands for something that holds it`);
    values += anchor.size;
    aliased += anchor.size;
    if (aliased <= maxAliasedValues) return anchor.data;
    if (aliased - anchor.size <= maxAliasedValues)
      refuse(node, `aliases stand for more than ${maxAliasedValues} values`);
    return null;
  }

  function refuse(node: unknown, message: string): undefined {
    problems.push({ offset: offsetOfNode(node), message });
  }

  const data = convert(root, 0);
  return { data: problems.length > 0 ? undefined : data, problems, anchors };
}

function findOffset(
  root: Node | null,
  anchors: ReadonlyMap<string, Anchor>,
  path: Path,
  part: 'key' | 'value',
): number {
  let node: unknown = root;
  let key: unknown = root;
  for (const step of path) {
    if (isAlias(node)) node = anchors.get(node.source)?.node;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
      if (pair === undefined) break;
      key = pair.key;
      // `key:` with nothing behind it has no value to point at.
      node = pair.value ?? pair.key;
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step];
      key = node;
    } else break;
  }
  return offsetOfNode(part === 'key' ? key : node);
}

function offsetOfNode(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
