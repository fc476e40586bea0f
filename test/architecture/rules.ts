// The layering rules as a function from source files to sentences about what breaks them. Called by
// architecture.test.ts with the real files and the table, and with made-up ones. It must never read a file.
import { posix } from 'node:path';
import { hasAny, hasDefaultExport, readImports, type SourceFile } from './imports.ts';

export interface Architecture {
  /** The directories (or files) right below src by layer: imports go to lower numbers only. */
  readonly layers: Readonly<Record<string, number>>;
  /** Layers inside a directory, by its folders; where a directory is not named here, its folders are siblings. */
  readonly folders: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Those that any layer from `importableFrom` on may import, and that import only `mayImport`. */
  readonly utilities: {
    readonly names: readonly string[];
    readonly importableFrom: number;
    readonly mayImport: readonly string[];
  };
  /** Package name -> the places below src that may import it. */
  readonly owners: Readonly<Record<string, readonly string[]>>;
  /** Those that import neither node: modules nor packages, nor anything that does. */
  readonly pure: readonly string[];
  /** The places below src that may import the generated code. */
  readonly generatedFor: readonly string[];
  readonly maxLines: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

const GENERATED = 'src/gen/';

/** One sentence per violation, sorted; none for files in order. Files outside src are held to the line limit alone. */
export function findViolations(files: readonly SourceFile[], rules: Architecture): string[] {
  const own = files.filter((file) => !file.path.startsWith(GENERATED));
  const sources = own.filter((file) => file.path.startsWith('src/'));
  const edges = sources.flatMap(toEdges);
  const internal = edges.filter((edge) => edge.to.startsWith('src/'));
  return [
    ...own.flatMap((file) => checkLength(file, rules)),
    ...sources.flatMap(checkSyntax),
    ...sources.flatMap((file) => checkPlaced(file, rules)),
    ...internal.flatMap((edge) => checkDirection(edge, rules)),
    ...edges.filter((edge) => !edge.to.startsWith('src/')).flatMap((edge) => checkPackage(edge, rules)),
    ...findCycles(internal),
  ].sort();
}

function toEdges(file: SourceFile): Edge[] {
  const directory = posix.dirname(file.path);
  return readImports(file.text).map((name) => ({
    from: file.path,
    to: name.startsWith('.') ? posix.join(directory, name) : name,
  }));
}

/** `src/store/redis/keys.ts` -> `store`; `src/main.ts` -> `main`. */
function unitOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/** Whether the file is, or lies in, one of these places below src. */
function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path.startsWith(`src/${place}/`) || path.startsWith(`src/${place}.`));
}

function checkLength({ path, text }: SourceFile, { maxLines }: Architecture): string[] {
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines > maxLines ? [`${path}: ${lines} lines, more than ${maxLines}`] : [];
}

function checkSyntax({ path, text }: SourceFile): string[] {
  return [
    ...(hasDefaultExport(text) ? [`${path}: default export`] : []),
    ...(hasAny(text) ? [`${path}: the type any`] : []),
  ];
}

function checkPlaced({ path }: SourceFile, { layers, utilities }: Architecture): string[] {
  const unit = unitOf(path);
  const known = unit in layers || utilities.names.includes(unit);
  return known ? [] : [`${path}: ${unit} has no layer`];
}

function checkDirection({ from, to }: Edge, rules: Architecture): string[] {
  if (to.startsWith(GENERATED)) {
    return isIn(from, rules.generatedFor) ? [] : [`${from}: imports generated code (${to})`];
  }
  const [unit, target] = [unitOf(from), unitOf(to)];
  if (unit === target) return checkSubfolders({ from, to }, rules.folders[unit] ?? {});
  if (isIn(from, rules.pure) && !isIn(to, rules.pure)) return [`${from}: imports ${to}, but is pure`];
  const allowed = rules.utilities.names.includes(unit)
    ? rules.utilities.mayImport.includes(target)
    : mayImport(unit, target, rules);
  return allowed ? [] : [`${from}: ${unit} may not import ${target} (${to})`];
}

function mayImport(unit: string, target: string, { layers, utilities }: Architecture): boolean {
  const layer = layers[unit] ?? Number.NEGATIVE_INFINITY;
  if (utilities.names.includes(target)) return layer >= utilities.importableFrom;
  return (layers[target] ?? Number.POSITIVE_INFINITY) < layer;
}

/** Folders of one capability are siblings, unless they have layers of their own. */
function checkSubfolders({ from, to }: Edge, layers: Readonly<Record<string, number>>): string[] {
  const [folder, target] = [from, to].map((path) => path.split('/').slice(2, -1)[0]);
  if (folder === undefined || target === undefined || folder === target) return [];
  const down = (layers[target] ?? Number.POSITIVE_INFINITY) < (layers[folder] ?? Number.NEGATIVE_INFINITY);
  return down ? [] : [`${from}: sideways import of a sibling folder (${to})`];
}

function checkPackage({ from, to }: Edge, { owners, pure }: Architecture): string[] {
  if (isIn(from, pure)) return [`${from}: imports ${to}, but is pure`];
  if (to.startsWith('node:')) return [];
  const name = to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/');
  const places = owners[name];
  if (places === undefined) return [`${from}: imports ${name}, which has no owner`];
  return isIn(from, places) ? [] : [`${from}: imports ${name}, which belongs to ${places.join(', ')}`];
}

/** Each cycle once, from its first file in the order of the alphabet. */
function findCycles(edges: readonly Edge[]): string[] {
  const next = Map.groupBy(edges, (edge) => edge.from);
  const cycles = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.add(describeCycle(trail.slice(start)));
    if (start >= 0 || done.has(path)) return;
    for (const edge of next.get(path) ?? []) visit(edge.to, [...trail, path]);
    done.add(path);
  };
  for (const path of [...next.keys()].sort()) visit(path, []);
  return [...cycles];
}

function describeCycle(cycle: readonly string[]): string {
  const first = [...cycle].sort()[0] ?? '';
  const at = cycle.indexOf(first);
  return `import cycle: ${[...cycle.slice(at), ...cycle.slice(0, at), first].join(' -> ')}`;
}
