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

export type PlainType = 'string' | 'bool' | 'int' | 'double' | 'timestamp' | 'map' | 'dyn';

/** What an attribute is declared to be; "map" is a JSON object of anything, "dyn" is anything. See attribute-type.ts. */
export type AttributeType = PlainType | { readonly list: AttributeType };

/** By name; where a tenant declares none there is no map at all. */
export type AttributeTypes = ReadonlyMap<string, AttributeType>;

/** What a condition is evaluated on. */
export interface ConditionInput {
  readonly subject: string;
  readonly action: string;
  /** Empty without an object. */
  readonly object: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly attributes: Attributes;
  /** The declared types, by which CEL is given attributes: an int as an int. Absent where none is declared. */
  readonly types?: AttributeTypes | undefined;
}

/**
 * A compiled condition. Evaluation is bounded by the limits on conditions and attributes.
 * @throws PosternError CONDITION_FAILED where it cannot be evaluated: an attribute that is missing, or of another type
 */
export type Condition = (input: ConditionInput) => boolean;

/** @throws PosternError INVALID_POLICY, saying what is wrong and where in the text */
export type ConditionCompiler = (text: string) => Condition;

/**
 * What is wrong with a condition where attributes are declared, or undefined. One that does not compile is not looked
 * at: the compiler says why.
 * @param nearest The declared attribute that was probably meant.
 */
export type ConditionChecker = (
  text: string,
  types: AttributeTypes,
  nearest: (name: string) => string | undefined,
) => string | undefined;

export const noAttributes: Attributes = {};
