/**
 * How large what modules say to each other may be, for both sides. Apart from the schemas: the guest needs the numbers,
 * and with a schema it would load typebox for every module.
 */

/** Characters of the arguments of a call, as JSON text. */
export const MAX_METHOD_ARGS = 256 * 1024;
/** Characters of its result, as JSON text. */
export const MAX_METHOD_RESULT = 512 * 1024;
/** Levels of lists and objects in either: with its frame it still fits the bridge. */
export const MAX_METHOD_DEPTH = 48;
/** What the lists, objects and keys of either may cost, see json-cost.ts: about 13,000 keys. */
export const MAX_METHOD_COST = 1024 * 1024;
/** A module calls one that calls one …: so many. */
export const MAX_CALL_DEPTH = 8;
/** A method that a module offers. */
export const METHOD_NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_]{0,63}$';
