/**
 * How large keys and values of `storage` and `cache` may be, for both sides. Apart from the schemas: the guest needs the
 * numbers, and with a schema it would load typebox for every module.
 */

/** Characters of a key. */
export const MAX_KEY = 512;
/** Characters of the JSON text of a stored value; with its escapes it still fits the bridge. */
export const MAX_STORED_VALUE = 1024 * 1024;
/** Characters of the JSON text of a cached value. */
export const MAX_CACHED_VALUE = 256 * 1024;
/** Levels of lists and objects in a value. */
export const MAX_VALUE_DEPTH = 100;
/** Milliseconds: ten years. */
export const MAX_STORED_TTL = 10 * 365 * 24 * 60 * 60 * 1000;
/** Milliseconds: 30 days. */
export const MAX_CACHED_TTL = 30 * 24 * 60 * 60 * 1000;
/** Keys of one list. */
export const MAX_LISTED_KEYS = 1_000;
