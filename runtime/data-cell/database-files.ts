/** The files of this cell: one per module, opened when it is used, closed when too many are open. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ModuleDatabase } from '@plexichat/sdk/database/module-database';
import { SqlError, toSqlError } from '@plexichat/sdk/database/sql-error';
import { SQLITE_OPTIONS, type SqliteConnection } from '@plexichat/sdk/database/sqlite';
import type { DataAnswer, DataDeclaration } from '../bridge/data-words.ts';
import { spaceOf } from './space-of.ts';

const MAX_OPEN = 64;
/** The host checked it before; it becomes part of a path here. */
const MODULE_NAME = /^[a-z][a-z0-9_]{1,63}$/;
const BUSY_MS = 1_000;
const SQLITE_NOMEM = 7;

export class DatabaseFiles {
  readonly #folder: string;
  readonly #declared = new Map<string, DataDeclaration>();
  /** The longest unused first. */
  readonly #open = new Map<string, ModuleDatabase>();

  /** SQLite could not get the memory that a statement wanted. */
  isExhausted = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Creates and migrates. @throws SqlError */
  declare(module: string, declaration: DataDeclaration): void {
    if (!MODULE_NAME.test(module)) throw new SqlError('DATABASE_ERROR', 'A module of that name cannot be.');
    this.#close(module);
    // When this fails, what was declared before still holds.
    this.#openFile(module, declaration);
    this.#declared.set(module, declaration);
  }

  /** @throws SqlError */
  of(module: string): ModuleDatabase {
    const open = this.#open.get(module);
    if (open !== undefined) {
      this.#open.delete(module);
      this.#open.set(module, open);
      return open;
    }
    const declaration = this.#declared.get(module);
    if (declaration === undefined)
      throw new SqlError('DATABASE_UNAVAILABLE', 'The database of the module is not open.');
    return this.#openFile(module, declaration);
  }

  attempt(module: string, work: () => void): Exclude<DataAnswer, string> | undefined {
    try {
      work();
      return undefined;
    } catch (error) {
      const { code, message, cause } = toSqlError(error, undefined);
      if (isOutOfMemory(cause)) this.isExhausted = true;
      // What only an operator can mend, or what nobody has foreseen.
      if (code === 'DATABASE_UNAVAILABLE' && cause !== undefined) process.stderr.write(`${module}: ${String(cause)}\n`);
      return [code, message];
    }
  }

  close(): void {
    for (const module of this.#open.keys()) this.#close(module);
  }

  #openFile(module: string, { tables, quotaMb }: DataDeclaration): ModuleDatabase {
    const connection = new DatabaseSync(this.#path(module), { ...SQLITE_OPTIONS, timeout: BUSY_MS });
    let database: ModuleDatabase;
    try {
      database = new ModuleDatabase({
        connection: connection as unknown as SqliteConnection,
        tables,
        quotaMb,
        space: () => spaceOf(this.#folder),
      });
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#open.set(module, database);
    if (this.#open.size > MAX_OPEN) this.#closeOldest();
    return database;
  }

  #closeOldest(): void {
    for (const [module, database] of this.#open) {
      if (database.isInTransaction) continue;
      this.#close(module);
      return;
    }
  }

  #close(module: string): void {
    this.#open.get(module)?.close();
    this.#open.delete(module);
  }

  #path(module: string): string {
    return join(this.#folder, `${module}.db`);
  }
}

function isOutOfMemory(cause: unknown): boolean {
  const { errcode } = (cause ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_NOMEM;
}
