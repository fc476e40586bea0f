/**
 * Conditions on bindings: what they see, and what a compiled one promises. The
 * language is CEL; its compiler is injected into the graph (see condition/cel.ts).
 */

/** JSON, as a caller sends it in `context.attributes`. */
export type AttributeValue =
  | null
  | boolean
  | number
  | string
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };

export type Attributes = { readonly [name: string]: AttributeValue };

/** What a condition is evaluated on. */
export interface ConditionInput {
  readonly subject: string;
  readonly action: string;
  /** Empty without an object. */
  readonly object: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly attributes: Attributes;
}

/**
 * A compiled condition. Evaluation is bounded by the limits on conditions and attributes.
 * @throws PosternError CONDITION_FAILED where it cannot be evaluated: an attribute that is missing, or of another type
 */
export type Condition = (input: ConditionInput) => boolean;

/** @throws PosternError INVALID_POLICY, saying what is wrong and where in the text */
export type ConditionCompiler = (text: string) => Condition;

export const noAttributes: Attributes = {};
