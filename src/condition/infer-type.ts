/**
 * The type of an expression, part by part, and the parts that cannot work: what gives an error, or one and the same
 * value, whatever is asked. It must never refuse what may work: where nothing is known, everything may. Called by
 * check-types.ts; the expression has been checked for names and size before.
 */
import type {
  Constant,
  Expr,
  Expr_Call,
  Expr_Comprehension,
  Expr_CreateStruct,
  Expr_Select,
} from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { environment } from './environment.ts';
import { typeOfCall } from './overloads.ts';
import {
  type ContextType,
  isDisjoint,
  isNumeric,
  isOpen,
  isSame,
  join,
  listOf,
  mapOf,
  nameOf,
  plain,
  type StaticType,
} from './static-type.ts';

/** A part of an expression that cannot work. */
export interface Refusal {
  readonly part: Expr;
  /** What it does: a sentence whose subject is the part. */
  readonly problem: string;
  /** Evaluated by itself the part gives an error always, one value always, or what is not a bool where one is needed. */
  readonly kind: 'error' | 'constant' | 'not-bool' | 'undeclared';
}

export interface InferOptions {
  /** Must throw. */
  readonly refuse: (refusal: Refusal) => never;
  /** The declared attribute that was probably meant. */
  readonly nearest: (name: string) => string | undefined;
  /** Is told the type of every part. */
  readonly note?: (part: Expr, type: StaticType) => void;
}

/** How often a type may grow by a step of an iteration before it is taken to be anything. */
const maxRounds = 3;

export type Scope = ReadonlyMap<string, StaticType>;

export function inferType(root: Expr, variables: Scope, { refuse, nearest, note }: InferOptions): StaticType {
  const error = (part: Expr, problem: string) => refuse({ part, problem, kind: 'error' });

  function visit(part: Expr, scope: Scope): StaticType {
    const type = typeOf(part, scope);
    note?.(part, type);
    return type;
  }

  function typeOf(part: Expr, scope: Scope): StaticType {
    const { exprKind } = part;
    switch (exprKind.case) {
      case 'constExpr':
        return typeOfConstant(exprKind.value);
      case 'identExpr':
        return scope.get(exprKind.value.name) ?? plain.dyn;
      case 'selectExpr':
        return typeOfSelect(part, exprKind.value, scope);
      case 'callExpr':
        return typeOfCallExpr(part, exprKind.value, scope);
      case 'listExpr':
        return listOf(joinAll(exprKind.value.elements.map((element) => visit(element, scope))));
      case 'structExpr':
        return typeOfStruct(part, exprKind.value, scope);
      case 'comprehensionExpr':
        return typeOfComprehension(part, exprKind.value, scope);
      default:
        return plain.dyn;
    }
  }

  function visitOptional(part: Expr | undefined, scope: Scope): StaticType {
    return part === undefined ? plain.dyn : visit(part, scope);
  }

  function wantBool(part: Expr | undefined, scope: Scope): void {
    if (part === undefined) return;
    const type = visit(part, scope);
    if (type.kind === 'bool' || isOpen(type)) return;
    refuse({ part, problem: `is ${nameOf(type)}, where a bool is needed`, kind: 'not-bool' });
  }

  function attributeOf(part: Expr, { attributes }: ContextType, name: string): StaticType {
    if (attributes === undefined) return plain.dyn;
    const type = attributes.get(name);
    if (type !== undefined) return type;
    const meant = nearest(name);
    const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
    return refuse({
      part,
      problem: `names attribute ${JSON.stringify(name)}, which is not declared${hint}`,
      kind: 'undeclared',
    });
  }

  function typeOfSelect(part: Expr, { operand, field, testOnly }: Expr_Select, scope: Scope): StaticType {
    const type = visitOptional(operand, scope);
    const found = fieldOf(part, type, field);
    if (found === undefined) {
      const problem = `looks for a field of ${nameOf(type)}, which has none`;
      return refuse({ part, problem, kind: testOnly ? 'constant' : 'error' });
    }
    return testOnly ? plain.bool : found;
  }

  /** Undefined where values of the type have no fields of that name. */
  function fieldOf(part: Expr, type: StaticType, field: string): StaticType | undefined {
    if (type.kind === 'context') return attributeOf(part, type, field);
    if (type.kind === 'map') return isDisjoint(type.key, plain.string) ? undefined : orDyn(type.value);
    // Instants and durations are messages to the library, with fields.
    const mayHaveFields = isOpen(type) || type.kind === 'timestamp' || type.kind === 'duration';
    return mayHaveFields ? plain.dyn : undefined;
  }

  function typeOfIndex(part: Expr, { args: [operand, index] }: Expr_Call, scope: Scope): StaticType {
    const type = visitOptional(operand, scope);
    const key = visitOptional(index, scope);
    const name = textOf(index);
    if (type.kind === 'context' && name !== undefined) return attributeOf(part, type, name);
    if (type.kind === 'list') {
      if (isOpen(key) || isNumeric(key) || key.kind === 'bool') return orDyn(type.element);
    } else if (type.kind === 'map' || type.kind === 'context') {
      const keys = type.kind === 'map' ? type.key : plain.string;
      if (isKey(key) && !isDisjoint(key, keys)) return type.kind === 'map' ? orDyn(type.value) : plain.dyn;
    } else if (isOpen(type) || type.kind === 'timestamp' || type.kind === 'duration') {
      return plain.dyn;
    }
    return error(part, `looks up ${nameOf(key)} in ${nameOf(type)}, which is not possible`);
  }

  function typeOfCallExpr(part: Expr, call: Expr_Call, scope: Scope): StaticType {
    switch (call.function) {
      case '_&&_':
      case '_||_':
        for (const side of call.args) wantBool(side, scope);
        return plain.bool;
      case '_?_:_': {
        const [condition, yes, no] = call.args;
        wantBool(condition, scope);
        return join(visitOptional(yes, scope), visitOptional(no, scope));
      }
      case '@not_strictly_false':
        wantBool(call.args[0], scope);
        return plain.bool;
      case '_[_]':
        return typeOfIndex(part, call, scope);
    }
    const spaced = nameInNamespace(call);
    const target = spaced !== undefined || call.target === undefined ? undefined : visit(call.target, scope);
    const args = call.args.map((argument) => visit(argument, scope));
    const [first, held] = call.args;
    const name = first === undefined ? undefined : textOf(first);
    const heldType = args[1];
    if (call.function === '@in' && held !== undefined && heldType?.kind === 'context' && name !== undefined) {
      attributeOf(part, heldType, name);
    }
    const type = typeOfCall(spaced ?? call.function, target, args);
    if ('kind' in type) return type;
    return refuse({ part, problem: type.problem, kind: type.isConstant ? 'constant' : 'error' });
  }

  function typeOfStruct(part: Expr, { messageName, entries }: Expr_CreateStruct, scope: Scope): StaticType {
    if (messageName !== '') {
      if (environment.registry.getMessage(messageName) === undefined) {
        error(part, `makes a ${messageName}, which does not exist`);
      }
      for (const { value } of entries) visitOptional(value, scope);
      return plain.dyn;
    }
    let key: StaticType = plain.none;
    let value: StaticType = plain.none;
    for (const entry of entries) {
      const type = entry.keyKind.case === 'mapKey' ? visit(entry.keyKind.value, scope) : plain.string;
      if (!isKey(type)) error(part, `has a key of type ${nameOf(type)}; a key is a bool, an int, a uint or a string`);
      // The library keeps whole doubles as ints, and refuses others.
      key = join(key, type.kind === 'double' ? plain.int : type);
      value = join(value, visitOptional(entry.value, scope));
    }
    return mapOf(key, value);
  }

  function typeOfComprehension(part: Expr, fold: Expr_Comprehension, scope: Scope): StaticType {
    const range = visitOptional(fold.iterRange, scope);
    const item = itemOf(range);
    if (item === undefined) error(part, `iterates over ${nameOf(range)}; it takes a list or a map`);
    let accumulated = visitOptional(fold.accuInit, scope);
    const inner = () => new Map([...scope, [fold.accuVar, accumulated], [fold.iterVar, orDyn(item ?? plain.dyn)]]);
    wantBool(fold.loopCondition, inner());
    // What a step gives is what the next one starts from; a list of lists may grow without end, and is dyn then.
    for (let round = 0; ; round++) {
      const next = join(accumulated, visitOptional(fold.loopStep, inner()));
      if (isSame(next, accumulated)) break;
      accumulated = round < maxRounds ? next : plain.dyn;
    }
    return visitOptional(fold.result, new Map([...scope, [fold.accuVar, accumulated]]));
  }

  return visit(root, variables);
}

function typeOfConstant({ constantKind }: Constant): StaticType {
  switch (constantKind.case) {
    case 'boolValue':
      return plain.bool;
    case 'int64Value':
      return plain.int;
    case 'uint64Value':
      return plain.uint;
    case 'doubleValue':
      return plain.double;
    case 'stringValue':
      return plain.string;
    case 'bytesValue':
      return plain.bytes;
    case 'nullValue':
      return plain.null;
    default:
      return plain.dyn;
  }
}

/** What an iteration over the type goes through; undefined where there is none. */
function itemOf(type: StaticType): StaticType | undefined {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return type.key;
  if (type.kind === 'context') return plain.string;
  return isOpen(type) ? plain.dyn : undefined;
}

function isKey(type: StaticType): boolean {
  return isOpen(type) || isNumeric(type) || type.kind === 'string' || type.kind === 'bool';
}

/** "strings.quote": a function of a namespace, which looks like a method of a name. */
function nameInNamespace({ target, function: name }: Expr_Call): string | undefined {
  if (target?.exprKind.case !== 'identExpr') return undefined;
  const whole = `${target.exprKind.value.name}.${name}`;
  return environment.funcs.find(whole) === undefined ? undefined : whole;
}

function textOf(part: Expr | undefined): string | undefined {
  if (part?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = part.exprKind.value;
  return constantKind.case === 'stringValue' ? constantKind.value : undefined;
}

function joinAll(types: readonly StaticType[]): StaticType {
  return types.reduce(join, plain.none);
}

/** What is taken out of an empty list or map is an error, about which there is nothing to be said. */
function orDyn(type: StaticType): StaticType {
  return type.kind === 'none' ? plain.dyn : type;
}
