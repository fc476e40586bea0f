/**
 * Every bound that a caller can run into, in one place. A request over one of
 * these is refused with a clear error; nothing is ever cut short silently.
 */

/** Longest type or tenant name, in characters. */
export const maxTypeLength = 128;
/** Longest id after the colon, in bytes of UTF-8. */
export const maxIdBytes = 256;
/** Longest action, in bytes of UTF-8. */
export const maxActionBytes = 256;
/** Longest role name, in bytes of UTF-8. */
export const maxRoleNameBytes = 256;
/** Longest glob or regular expression of a scope, in bytes of UTF-8. */
export const maxPatternBytes = 1024;
/**
 * Most instructions that a regular expression may compile to; an address, a host name or a UUID has 40 to 300. Matching
 * takes time in proportion to it.
 */
export const maxRegexInstructions = 600;
/**
 * Most instructions of all regular expressions together that one question may have to try: those of the scopes of one
 * type, and those of one role. About 200 paths such as "/v[0-9]+/users/[^/]+"; globs are not counted.
 */
export const maxTriedInstructions = 10_000;
/** Longest scope as a text in a request, in bytes of UTF-8: the longest pattern, every character escaped, with its type. */
export const maxScopeTextBytes = 2_304;
/** Most brackets of a condition, or groups of a regular expression, within each other. */
export const maxNesting = 32;
/** Most times that a condition may write ! or - in a row. */
export const maxConditionSigns = 8;
/** Longest condition of a binding, in bytes of UTF-8. */
export const maxConditionBytes = 2048;
/** Most parts (names, literals, calls) of a condition. */
export const maxConditionParts = 100;
/** Longest name of a declared attribute, in bytes of UTF-8. */
export const maxAttributeNameBytes = 256;
/** Longest type of a declared attribute, in characters. */
export const maxAttributeTypeLength = 128;
/** Most characters of a query's attributes, as JSON. */
export const maxAttributesLength = 16_384;
/** Most elements of one list or map among a query's attributes. */
export const maxAttributeElements = 256;
/** Longest note or description, in bytes of UTF-8. */
export const maxNoteBytes = 4096;
/** Most questions in one BatchCheck. */
export const maxBatchChecks = 10_000;
/** Most groups that one query may assert. */
export const maxAssertedGroups = 100;
/** Most roles that one query may activate. */
export const maxActiveRoles = 100;
/** Most roles of one constraint. */
export const maxConstraintRoles = 1_000;
/** Most grants of one hook. */
export const maxHookGrants = 100;
/** Most subjects in one page of ListSubjects. */
export const maxPageSize = 10_000;
/** Subjects in one page of ListSubjects where the caller names no size. */
export const defaultPageSize = 1_000;
/** Largest request message, in bytes. */
export const maxMessageBytes = 16 * 1024 * 1024;
/** Largest policy file, in bytes. */
export const maxPolicyFileBytes = 64 * 1024 * 1024;
/** Most changes in one change set. */
export const maxChangesPerCommit = 2_000_000;
/** Most changes in one request to PolicyService. */
export const maxChangesPerRequest = 10_000;
