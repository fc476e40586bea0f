/**
 * The type of a call, by the forms that the CEL library itself has for it, so that nothing is refused that it would
 * run. Called by infer-type.ts.
 */
import type { CelFunc, CelType } from '@bufbuild/cel';
import { environment } from './environment.ts';
import {
  fromCel,
  isDisjoint,
  isNumeric,
  isOpen,
  join,
  listOf,
  nameOf,
  plain,
  type StaticType,
  shapeOf,
} from './static-type.ts';

/** A call that cannot work. */
export interface CallProblem {
  readonly problem: string;
  /** It gives the same value always, where otherwise it gives an error always. */
  readonly isConstant: boolean;
}

const add = '_+_';
const equality: ReadonlySet<string> = new Set(['_==_', '_!=_']);
const membership = '@in';

/** How operators are written. */
const signs: Readonly<Record<string, string>> = { '!_': '!', '-_': '-', '@in': 'in' };

/** @param target What stands before the dot; undefined for an operator or a function. */
export function typeOfCall(
  name: string,
  target: StaticType | undefined,
  args: readonly StaticType[],
): StaticType | CallProblem {
  const forms = [...(environment.funcs.find(name) ?? [])];
  if (forms.length === 0) return never(`calls ${name}, which does not exist`);
  const fitting = forms.filter((form) => fits(form, target, args));
  if (fitting.length === 0) return never(describeMisfit(name, target, args, forms));
  const [first, second] = args as [StaticType, StaticType];
  if (equality.has(name) && isDisjoint(first, second)) {
    return constant(`compares ${nameOf(first)} with ${nameOf(second)}, which are never equal${hintOf(args)}`);
  }
  if (name === membership && isDisjoint(first, heldBy(second))) {
    return constant(`looks for ${nameOf(first)} in ${nameOf(second)}, which never holds one`);
  }
  if (name === add && first.kind === 'list' && second.kind === 'list') {
    return listOf(join(first.element, second.element));
  }
  return fitting.map((form) => fromCel(form.result)).reduce(join);
}

const never = (problem: string): CallProblem => ({ problem, isConstant: false });
const constant = (problem: string): CallProblem => ({ problem, isConstant: true });

/** What `in` looks at: elements of a list, keys of a map. */
function heldBy(type: StaticType): StaticType {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return type.key;
  return type.kind === 'context' ? plain.string : plain.dyn;
}

function fits(form: CelFunc, target: StaticType | undefined, args: readonly StaticType[]): boolean {
  if ((form.target === undefined) !== (target === undefined) || form.arguments.length !== args.length) return false;
  if (form.target !== undefined && !takes(form.target, target as StaticType)) return false;
  return form.arguments.every((wanted, i) => takes(wanted, args[i] as StaticType));
}

function takes(wanted: CelType, given: StaticType): boolean {
  const type = fromCel(wanted);
  return isOpen(type) || isOpen(given) || shapeOf(type) === shapeOf(given);
}

function describeMisfit(
  name: string,
  target: StaticType | undefined,
  args: readonly StaticType[],
  forms: readonly CelFunc[],
): string {
  const names = args.map(nameOf);
  if (isOperator(name)) {
    return `applies ${signOf(name)} to ${names.join(' and ')}, which it does not take${hintOf(args)}`;
  }
  const given = target === undefined ? `(${names.join(', ')})` : `(${names.join(', ')}) on ${nameOf(target)}`;
  const shown = forms.slice(0, 4).map(describeForm);
  const more = forms.length > shown.length ? ` and ${forms.length - shown.length} more` : '';
  return `calls ${name}${given}; there is ${shown.join(', ')}${more}`;
}

function describeForm({ name, target, arguments: args }: CelFunc): string {
  const before = target === undefined ? '' : `${nameOf(fromCel(target))}.`;
  return `${before}${name}(${args.map((type) => nameOf(fromCel(type))).join(', ')})`;
}

/** CEL converts no number by itself, which surprises most who come from elsewhere. */
function hintOf(args: readonly StaticType[]): string {
  if (args.length !== 2 || !args.every(isNumeric) || args[0]?.kind === args[1]?.kind) return '';
  return '; convert one with int() or double(), and write whole doubles as 1.0';
}

function isOperator(name: string): boolean {
  return !/^[a-z]/i.test(name);
}

function signOf(name: string): string {
  return signs[name] ?? name.replaceAll('_', '');
}
