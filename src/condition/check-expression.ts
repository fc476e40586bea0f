/**
 * What a condition may be made of, checked when it is compiled: known names,
 * a bounded number of parts, and one level of iteration at most, so that its
 * cost is bounded by the limits on attributes.
 */
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { PosternError } from '../model/errors.ts';
import { maxConditionParts } from '../model/limits.ts';
import { quote } from '../model/names.ts';

/** @throws PosternError INVALID_POLICY */
export function checkExpression(root: Expr | undefined, text: string, variables: ReadonlySet<string>): void {
  let parts = 0;
  const refuse = (why: string): never => {
    throw new PosternError('INVALID_POLICY', `condition ${quote(text)} ${why}`);
  };

  const visit = (expr: Expr | undefined, names: ReadonlySet<string>, iterating: boolean): void => {
    if (expr === undefined) return;
    if (++parts > maxConditionParts) refuse(`has more than ${maxConditionParts} parts; simplify it`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'identExpr':
        if (!names.has(exprKind.value.name)) {
          refuse(
            `names ${quote(exprKind.value.name)}, which is not known; there are ${[...variables].join(', ')} (attributes are context.<name>)`,
          );
        }
        return;
      case 'selectExpr':
        visit(exprKind.value.operand, names, iterating);
        return;
      case 'callExpr':
        visit(exprKind.value.target, names, iterating);
        for (const argument of exprKind.value.args) visit(argument, names, iterating);
        return;
      case 'listExpr':
        for (const element of exprKind.value.elements) visit(element, names, iterating);
        return;
      case 'structExpr':
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') visit(keyKind.value, names, iterating);
          visit(value, names, iterating);
        }
        return;
      case 'comprehensionExpr': {
        if (iterating) refuse('iterates within an iteration, which may take too long; iterate once');
        const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
        const inner = new Set([...names, iterVar, iterVar2, accuVar]);
        visit(iterRange, names, iterating);
        visit(accuInit, names, iterating);
        for (const part of [loopCondition, loopStep, result]) visit(part, inner, true);
      }
    }
  };
  visit(root, variables, false);
}
