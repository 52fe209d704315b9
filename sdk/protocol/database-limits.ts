/** What a module's statements may be, and what they may answer: the same in its own realm, on the host and in tests. */

/** Of one statement. */
export const MAX_SQL = 100_000;
export const MAX_PARAMETERS = 1_000;
/** Characters of a text, bytes of a blob: as parameter. */
export const MAX_VALUE = 1_000_000;
/** Bytes of a value or of a whole row, inside of a statement too. */
export const MAX_ROW_BYTES = 2_000_000;
/** Of one answer. */
export const MAX_ROWS = 10_000;
/** Of one answer, as JSON. */
export const MAX_RESULT = 1_000_000;
/** In one call. */
export const MAX_STATEMENTS = 64;
