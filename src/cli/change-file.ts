/**
 * A file of changes as a change set: what is asked of the sidecar, and where in the file it stands, so that what the
 * sidecar says of it comes with line and column. Called by `postern commit` and `postern replay`.
 */
import { text } from 'node:stream/consumers';
import { messageOf, PosternError } from '../model/errors.ts';
import { type FileChange, type ParsedChanges, type PlacedChange, parseChanges } from '../policy-file/change-file.ts';
import { formatProblems } from '../policy-file/format-problems.ts';
import { readPolicyText } from '../policy-file/load.ts';
import type { Path } from '../policy-file/problem.ts';
import { fromRecord } from '../server/policy/records.ts';
import type { ChangeInit, ChangeSetInit } from './commit.ts';
import { count, isColoured } from './output.ts';

/** The file as it was written. @param path "-" is the standard input. @throws PosternError INVALID_CHANGE, with every problem in its message */
export async function loadChanges(path: string): Promise<ParsedChanges> {
  const read = path === '-' ? { ok: true as const, text: await text(process.stdin) } : await readPolicyText(path);
  const parsed = read.ok ? parseChanges(read.text, path, Date.now()) : read;
  if (parsed.ok) return parsed;
  const problems = count(parsed.problems.length + parsed.omitted, 'problem');
  const shown = formatProblems(parsed, { colour: isColoured(process.stderr) });
  throw new PosternError('INVALID_CHANGE', `${problems} in the changes; nothing was written\n${shown}`, {
    field: path,
  });
}

/** @param path "-" is the standard input. @throws PosternError INVALID_CHANGE, with every problem in its message */
export async function readChanges(path: string): Promise<ChangeSetInit> {
  const { changes, positionOf } = await loadChanges(path);
  const placeOf = (where: Path) => {
    const { line, column } = positionOf(where);
    return `${path}:${line}:${column}`;
  };
  return {
    changes: changes.map(({ change, origin }) => toInit(change, () => placeOf(origin))),
    nameOf: (field) => {
      const [, index = '', rest = ''] = /^changes\[(\d+)\](.*)$/.exec(field) ?? [];
      const placed = changes[Number(index)];
      if (index === '' || placed === undefined) return path;
      const [key, where] = toPath(placed, rest);
      return `${placeOf(where)}${key === '' ? '' : `: ${key}`}`;
    },
    check: refuseMissing(changes, placeOf),
  };
}

function toInit(change: FileChange, where: () => string): ChangeInit {
  if (change.op === 'remove') return { change: { case: 'remove', value: { object: change.object } } };
  if (change.op === 'create') {
    const { object, description } = change;
    const parents = change.parents.map((edge) => ({ object: edge.object, noInherit: edge.inherit === false }));
    return { change: { case: 'create', value: { object, description, parents } } };
  }
  try {
    return { change: { case: change.op, value: fromRecord(change.record) } };
  } catch (error) {
    // A scope that nobody can write as text.
    throw new PosternError('INVALID_CHANGE', `${where()}: ${messageOf(error)}`, {}, error);
  }
}

const fileWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  grant: { scope: 'on', condition: 'if', expires_at: 'until', expiresAt: 'until', no_cascade: 'this_only' },
  revoke: { scope: 'on' },
  add: { expires_at: 'until', expiresAt: 'until' },
  put: { expiresAt: 'expires_at', grantAction: 'grant_action', no_cascade: 'cascade', no_inherit: 'inherit' },
};

/** What the file calls a field of the wire, and where it is: ".put.binding.scope" is "on" at [3, "grant", "on"]. */
function toPath({ origin }: PlacedChange, rest: string): readonly [key: string, where: Path] {
  const [, verb = ''] = origin;
  const own = fileWords[verb] ?? {};
  const [, op, ...steps] = rest.split(/[.[\]]+/);
  // Records are named by their kind; what is created or removed is not.
  const inner = (op === 'put' || op === 'delete' ? steps.slice(1) : steps)
    .filter(
      (step) => step !== '' && step !== 'names' && step !== 'short' && !(step === 'grants' && origin[2] === 'hooks'),
    )
    .map((step) => (/^\d+$/.test(step) ? Number(step) : (own[step] ?? step)));
  const key = inner.find((step) => typeof step === 'string') ?? '';
  return [String(key), [...origin, ...inner]];
}

/** A put would make what is to be moved. */
function refuseMissing(changes: readonly PlacedChange[], placeOf: (where: Path) => string): ChangeSetInit['check'] {
  const made = new Set(changes.flatMap(({ change }) => (change.op === 'create' ? [change.object] : [])));
  const moved = new Map<string, Path>();
  for (const { change, origin, moves } of changes) {
    const isMove = moves && change.op === 'put' && change.record.kind === 'object';
    if (isMove && change.record.kind === 'object' && !made.has(change.record.object))
      moved.set(change.record.object, origin);
  }
  return (done) => {
    const missing = done.flatMap(({ before, after }) => {
      const object = after?.record.case === 'object' ? after.record.value.object : '';
      const origin = before === undefined ? moved.get(object) : undefined;
      return origin === undefined ? [] : [`${placeOf(origin)}: there is no registered object ${object}`];
    });
    if (missing.length === 0) return;
    throw new PosternError('NOT_FOUND', `${missing.join('; ')}; create it instead of moving it`);
  };
}
