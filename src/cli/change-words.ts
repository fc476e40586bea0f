/**
 * What a sidecar says of a change set, in the words of the command that made it: "--if" instead of
 * "changes[0].put.binding.condition". Pure; called by commit.ts. It must never drop a problem.
 */
import { type FieldProblem, PosternError } from '../model/errors.ts';
import { describeBinding } from './describe.ts';

/** What a place in a change set is called; empty where the message says it by itself. */
export type NamePlace = (field: string) => string;

/** Fields of the wire, and of records, as the commands call them. */
const words: Readonly<Record<string, string>> = {
  scope: '--on',
  condition: '--if',
  expires_at: '--until',
  expiresAt: '--until',
  name: '--name',
  note: '--note',
  locked: '--locked',
  permissions: '--permission',
  includes: '--include',
  except: '--except',
  grant_action: '--grant-action',
  grantAction: '--grant-action',
  description: '--description',
  parents: '--parent',
};

/** @param own What this command calls a field instead: `{ subject: '--to' }`. */
export function nameByOption(own: Readonly<Record<string, string>> = {}): NamePlace {
  return (field) => {
    const [, op, first = '', second] = /^changes\[\d+\]\.?(\w*)(?:\.(\w+))?(?:\.(\w+))?/.exec(field) ?? [];
    const isRecord = op === 'put' || op === 'delete';
    const name = isRecord ? second : first;
    if (name === undefined || name === '') return '';
    if (own[name] !== undefined) return own[name];
    // What a role or a group is called is an argument.
    if (name === 'name' && first !== 'binding') return first;
    return words[name] ?? name;
  };
}

/** The same error, with its places named; what is no problem of a change set is left as it is. */
export function inWords(error: unknown, nameOf: NamePlace): unknown {
  if (!(error instanceof PosternError)) return error;
  const { code, message, metadata, problems } = error;
  const [first] = problems;
  if (first === undefined || !problems.every(({ field }) => field.startsWith('changes'))) return error;
  // Of a request that cannot be read, a problem goes on after the name of its field.
  const named = problems.map(({ field, message: text }) => toNamed(nameOf(field), text));
  const start = message.indexOf(first.field);
  const told = (start < 0 ? message : message.slice(0, start)).replace(/[\s:;]+$/, '');
  const many = named.length > 1 || Number(metadata.problems ?? 1) > 1;
  const head = code === 'INVALID_REQUEST' ? (many ? 'the change is malformed; nothing was written' : '') : told;
  const [one] = named;
  const text = many || one === undefined ? head : [head, sentenceOf(one)].filter((part) => part !== '').join(': ');
  const { field: _, ...others } = metadata;
  const field = one?.field ?? '';
  return new PosternError(code, text, field === '' ? others : { ...others, field }, error, named);
}

/** A problem in one sentence. */
function sentenceOf({ field, message }: FieldProblem): string {
  if (field === '') return message;
  return message.startsWith('"') || /^(is|has|holds|must) /.test(message)
    ? `${field} ${message}`
    : `${field}: ${message}`;
}

function toNamed(field: string, message: string): FieldProblem {
  return { field, message: withoutKeys(message.replace(/^(?:"[^"]*" )?is not legal: (?=permission )/, '')) };
}

/** Identities are lists as JSON; people know them as words. */
function withoutKeys(message: string): string {
  return message
    .replace(/^there is no binding (\[.*\])$/, (whole, key: string) => describeMissing(key) ?? whole)
    .replace(/^there is no member (\[.*\])$/, (whole, key: string) => {
      const [group, member] = parseKey(key) ?? [];
      return member === undefined ? whole : `${member} is not in ${group}`;
    })
    .replace(
      /\b(binding) (\["(?:[^"\\]|\\.)*"(?:,(?:"(?:[^"\\]|\\.)*"|\{[^}]*\}))*\])/g,
      (_, kind: string, key: string) => {
        return `${kind} ${describeBinding(key)}`;
      },
    );
}

function describeMissing(key: string): string | undefined {
  const [subject, role, scope, effect, name] = parseKey(key) ?? [];
  if (scope === undefined) return undefined;
  const what = effect === 'deny' ? 'denial' : 'binding';
  const named = name === undefined ? '' : ` named ${JSON.stringify(name)}`;
  const place = typeof scope === 'string' ? (scope === '*' ? 'the tenant' : scope) : JSON.stringify(scope);
  return `there is no ${what}${named} of role ${role} to ${subject} on ${place}`;
}

function parseKey(key: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(key);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
