/** Group commit: all requests that wait are one transaction, with one flush to the disk, and each is all or nothing. */
import type { DatabaseSync } from 'node:sqlite';
import { monotonicMs } from './monotonic.ts';
import { createPrepared, type Prepared } from './prepared.ts';
import { isConstraint, needsReopening, troubleOf } from './sqlite-codes.ts';
import type { SqlValue, Statement, StatementResult } from './statement.ts';

export interface WireRequest {
  readonly statements: readonly Statement[];
  /** By `monotonicMs`: who asked has given up by then, and must not find it done later. */
  readonly notAfter: number;
}

export type WireResult =
  | { readonly kind: 'done'; readonly results: readonly StatementResult[] }
  | {
      readonly kind: 'refused';
      readonly code: 'REQUIRED' | 'CONSTRAINT' | 'SQL';
      readonly index: number;
      readonly message: string;
    }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface WrittenBatch {
  /** One for each request; nothing of what is not `done` was written. */
  readonly results: readonly WireResult[];
  /** The database has to be opened anew. */
  readonly broken?: string;
}

export type WriteBatch = (requests: readonly WireRequest[]) => WrittenBatch;

export function createWriteBatch(database: DatabaseSync): WriteBatch {
  const prepare = createPrepared(database);
  return (requests) => {
    try {
      database.exec('BEGIN IMMEDIATE');
      const now = monotonicMs();
      const results = requests.map((request) =>
        now > request.notAfter ? TOO_LATE : attempt(database, prepare, request.statements),
      );
      database.exec('COMMIT');
      return { results };
    } catch (error) {
      return giveUp(database, requests.length, error);
    }
  };
}

const TOO_LATE: WireResult = { kind: 'unavailable', reason: 'it had too much to do; nothing was written' };

/** @throws when it is not the request's fault: then nothing of the whole batch is written. */
function attempt(
  database: DatabaseSync,
  prepare: (sql: string) => Prepared,
  statements: readonly Statement[],
): WireResult {
  // A statement alone is all or nothing by itself, unless it has to be undone for doing nothing, which is no work.
  const alone = statements.length === 1;
  let index = 0;
  try {
    if (!alone) prepare('SAVEPOINT request').statement.run();
    const results: StatementResult[] = [];
    for (const statement of statements) {
      const result = execute(prepare, statement);
      if (statement.required === true && result.rows.length === 0 && result.changes === 0) {
        if (!alone) undo(prepare);
        return {
          kind: 'refused',
          code: 'REQUIRED',
          index,
          message: 'A statement that had to change something did not.',
        };
      }
      results.push(result);
      index += 1;
    }
    if (!alone) prepare('RELEASE request').statement.run();
    return { kind: 'done', results };
  } catch (error) {
    // Some errors end the transaction by themselves.
    if (troubleOf(error) !== undefined || !database.isTransaction) throw error;
    if (!alone) undo(prepare);
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'refused', code: isConstraint(error) ? 'CONSTRAINT' : 'SQL', index, message };
  }
}

function undo(prepare: (sql: string) => Prepared): void {
  prepare('ROLLBACK TO request').statement.run();
  prepare('RELEASE request').statement.run();
}

function execute(prepare: (sql: string) => Prepared, { sql, params = [] }: Statement): StatementResult {
  const { statement, givesRows, returnsChanges } = prepare(sql);
  if (!givesRows) return { rows: [], changes: Number(statement.run(...params).changes) };
  const rows = statement.all(...params) as Record<string, SqlValue>[];
  return { rows, changes: returnsChanges ? rows.length : 0 };
}

function giveUp(database: DatabaseSync, count: number, error: unknown): WrittenBatch {
  let broken = needsReopening(error);
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    broken = true;
  }
  const reason = troubleOf(error) ?? 'it failed';
  const results = Array.from({ length: count }, (): WireResult => ({ kind: 'unavailable', reason }));
  if (!broken && troubleOf(error) !== undefined) return { results };
  return { results, broken: error instanceof Error ? error.message : String(error) };
}
