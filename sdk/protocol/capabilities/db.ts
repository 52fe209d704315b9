/** `db`: statements on the module's own database, several in one call, and transactions. */
import { type Static, Type } from 'typebox';
import { MAX_PARAMETERS, MAX_SQL, MAX_STATEMENTS, MAX_VALUE } from '../database-limits.ts';

/** Base64 takes four characters for three bytes. */
const MAX_BASE64 = Math.ceil(MAX_VALUE / 3) * 4;

/** A parameter, or a value of a row: `b` holds bytes as base64, `i` a whole number that JSON's numbers cannot hold. */
export const SqlWireValueSchema = Type.Union([
  Type.Null(),
  Type.Number(),
  Type.String({ maxLength: MAX_VALUE }),
  Type.Object(
    { b: Type.String({ maxLength: MAX_BASE64, pattern: '^[A-Za-z0-9+/]*={0,2}$' }) },
    { additionalProperties: false },
  ),
  Type.Object({ i: Type.String({ maxLength: 20, pattern: '^-?[0-9]{1,19}$' }) }, { additionalProperties: false }),
]);
export type SqlWireValue = Static<typeof SqlWireValueSchema>;

export const SqlStatementSchema = Type.Object(
  {
    sql: Type.String({ minLength: 1, maxLength: MAX_SQL }),
    params: Type.Array(SqlWireValueSchema, { maxItems: MAX_PARAMETERS }),
  },
  { additionalProperties: false },
);
export type SqlStatement = Static<typeof SqlStatementSchema>;

const StatementsSchema = Type.Array(SqlStatementSchema, { minItems: 1, maxItems: MAX_STATEMENTS });
const TransactionSchema = Type.String({ pattern: '^[0-9a-f-]{36}$' });

/** Of one statement: `result` is the JSON text of an SqlResult; `later`: not run, since the answers before it are large. */
export const SqlAnswerSchema = Type.Union([
  Type.Object({ later: Type.Literal(true) }, { additionalProperties: false }),
  Type.Object({ result: Type.String() }, { additionalProperties: false }),
  Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: false }),
]);
export type SqlAnswer = Static<typeof SqlAnswerSchema>;

/**
 * What a statement gave. `kinds` has a letter for each column: `b` boolean, `j` JSON text, `-` as it is.
 * A list, not an object, and as text: rows are many, and the host has no business in them.
 */
export type SqlResult = readonly [
  columns: readonly string[],
  kinds: string,
  rows: readonly (readonly SqlWireValue[])[],
  changes: number,
  lastInsertId: number | null,
];

/** All reject with PERMISSION_DENIED, INVALID_CALL or QUOTA_EXCEEDED; what is wrong with a statement is in its answer. */
export const DB_METHODS = {
  query: { args: Type.Tuple([StatementsSchema]), result: Type.Array(SqlAnswerSchema) },
  /** Rejects with DATABASE_UNAVAILABLE or DATABASE_TIMEOUT. */
  begin: { args: Type.Tuple([]), result: TransactionSchema },
  inside: { args: Type.Tuple([TransactionSchema, StatementsSchema]), result: Type.Array(SqlAnswerSchema) },
  /** Rejects with DATABASE_TIMEOUT when it was rolled back before, and with DATABASE_UNAVAILABLE. */
  commit: { args: Type.Tuple([TransactionSchema]), result: Type.Unknown() },
  rollback: { args: Type.Tuple([TransactionSchema]), result: Type.Unknown() },
} as const;
