/** The types of a condition: what surely cannot work is refused, with the part that cannot. Called by cel.ts. */

import { unparse } from '@bufbuild/cel';
import type { Expr, ParsedExpr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { AttributeTypes } from '../model/condition.ts';
import { PosternError } from '../model/errors.ts';
import { quote } from '../model/names.ts';
import { inferType, type Scope } from './infer-type.ts';
import { contextOf, isOpen, nameOf, plain, type StaticType } from './static-type.ts';

/** @param types The attributes that may be named; undefined: all, and nothing is known of them. */
export function variablesOf(types: AttributeTypes | undefined): Scope {
  return new Map<string, StaticType>([
    ['subject', plain.string],
    ['action', plain.string],
    ['object', plain.string],
    ['now', plain.timestamp],
    ['context', contextOf(types)],
  ]);
}

/**
 * @param parsed What checkExpression lets pass.
 * @throws PosternError INVALID_POLICY
 */
export function checkTypes(
  parsed: ParsedExpr,
  text: string,
  variables: Scope,
  nearest: (name: string) => string | undefined,
): void {
  const { expr } = parsed;
  if (expr === undefined) return;
  const refuse = (part: Expr, problem: string): never => {
    const which = part === expr ? '' : `: ${quote(textOf(part, parsed))}`;
    throw new PosternError('INVALID_POLICY', `condition ${quote(text)}${which} ${problem}`);
  };
  const type = inferType(expr, variables, { refuse: ({ part, problem }) => refuse(part, problem), nearest });
  if (type.kind !== 'bool' && !isOpen(type)) refuse(expr, `is ${nameOf(type)}, and a condition is a bool`);
}

/** A part as somebody may have written it: with macros, not with what they stand for. */
function textOf(part: Expr, parsed: ParsedExpr): string {
  return unparse({ ...parsed, expr: part });
}
