/** Why a statement failed, in the words that its author gets: SQLite's own, which hold nothing of the machine. */
import type { ErrorCode } from '../protocol/errors.ts';

export type SqlErrorCode = Extract<
  ErrorCode,
  'DATABASE_ERROR' | 'DATABASE_CONSTRAINT' | 'DATABASE_TIMEOUT' | 'DATABASE_UNAVAILABLE' | 'QUOTA_EXCEEDED'
>;

export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly code: SqlErrorCode;

  constructor(code: SqlErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

const MAX_MESSAGE = 500;

/** @param refused what the rules refused while the statement was prepared */
export function toSqlError(error: unknown, refused: string | undefined): SqlError {
  if (error instanceof SqlError) return error;
  const { code, errcode = 0, message = '' } = error as { code?: string; errcode?: number; message?: string };
  if (code === 'ERR_OUT_OF_RANGE') {
    return new SqlError(
      'DATABASE_ERROR',
      'A whole number of the answer is beyond 2^53, which JavaScript cannot hold: select CAST(it AS TEXT).',
    );
  }
  const known = BY_RESULT_CODE[errcode & 0xff];
  if (known !== undefined) {
    const [ours, words] = known;
    return new SqlError(ours, words ?? shorten(message), { cause: error });
  }
  if (refused !== undefined) return new SqlError('DATABASE_ERROR', `Not allowed: ${refused}.`);
  return new SqlError('DATABASE_ERROR', shorten(message), { cause: error });
}

/** SQLite's primary result codes. */
const BY_RESULT_CODE: Readonly<Record<number, readonly [SqlErrorCode, string?]>> = {
  5: ['DATABASE_UNAVAILABLE', 'The database is busy.'],
  6: ['DATABASE_UNAVAILABLE', 'The database is busy.'],
  7: ['DATABASE_ERROR', 'The statement needs more memory than there is for it.'],
  10: ['DATABASE_UNAVAILABLE', 'The database cannot be read or written; the operator’s log says why.'],
  11: ['DATABASE_UNAVAILABLE', 'The database is damaged; the operator’s log says more.'],
  13: ['QUOTA_EXCEEDED', 'The database is full: it may not grow beyond database.quota_mb of config.yaml.'],
  14: ['DATABASE_UNAVAILABLE', 'The database cannot be opened; the operator’s log says why.'],
  18: ['DATABASE_ERROR', 'A value, a row or the statement is too large (2 MB).'],
  19: ['DATABASE_CONSTRAINT'],
  26: ['DATABASE_UNAVAILABLE', 'The database is damaged; the operator’s log says more.'],
};

function shorten(message: string): string {
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message;
}
