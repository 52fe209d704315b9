/** The words of the state: statements, their results, and why one failed. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export type SqlValue = string | number | bigint | Uint8Array | null;
export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  readonly sql: string;
  readonly params?: readonly SqlValue[];
  /** It has to give a row or change one; otherwise its whole transaction is rolled back, with a StatementError. */
  readonly required?: boolean;
}

export interface StatementResult {
  readonly rows: readonly Row[];
  /** Rows that it wrote or deleted. */
  readonly changes: number;
}

/** Why a transaction was rolled back although the database works. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  /** `REQUIRED`: a statement that had to do something did nothing. `SQL`: it is wrong, which is a fault of the host. */
  readonly code: 'REQUIRED' | 'CONSTRAINT' | 'SQL';
  /** Which statement, from 0. */
  readonly index: number;

  constructor(code: StatementError['code'], index: number, message: string) {
    super(message);
    this.code = code;
    this.index = index;
  }
}

/** Boundary: what is said here reaches modules and clients: no path, no words of SQLite's. */
export function unavailable(reason: string, cause?: unknown): PlexiError {
  return new PlexiError('STATE_UNAVAILABLE', `What the host keeps cannot be reached: ${reason}.`, { cause });
}
