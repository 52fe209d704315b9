/** The database of a test: the declared tables in memory, under the rules of a host. */
import { ModuleDatabase } from '../database/module-database.ts';
import { SqlError } from '../database/sql-error.ts';
import { SQLITE_OPTIONS, type SqliteConnection } from '../database/sqlite.ts';
import type { SqlAnswer, SqlStatement } from '../protocol/capabilities/db.ts';
import { PlexiError } from '../protocol/errors.ts';
import type { Manifest } from '../protocol/manifest.ts';

interface OpenTransaction {
  readonly id: string;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly over: PromiseWithResolvers<void>;
}

const TRANSACTION_MS = 5_000;

export class FakeDatabase {
  #manifest: Manifest | undefined;
  #database: ModuleDatabase | undefined;
  #open: OpenTransaction | undefined;
  #lastId = 0;

  /** What the module declares and asks for; the tables are made when they are used first. */
  declare(manifest: Manifest): void {
    this.#manifest = manifest;
  }

  readonly query = async (statements: readonly SqlStatement[]): Promise<SqlAnswer[]> => {
    const database = this.#use();
    await this.#untilFree();
    return statements.map((statement) => answer(database, statement));
  };

  readonly begin = async (): Promise<string> => {
    const database = this.#use();
    await this.#untilFree();
    database.begin();
    this.#lastId += 1;
    const id = String(this.#lastId);
    const timer = setTimeout(() => this.#end(id, 'rollback'), TRANSACTION_MS);
    this.#open = { id, timer, over: Promise.withResolvers() };
    return id;
  };

  readonly inside = async (id: string, statements: readonly SqlStatement[]): Promise<SqlAnswer[]> => {
    const database = this.#use();
    return statements.map((statement) => {
      if (this.#open?.id !== id) throw gone();
      return answer(database, statement);
    });
  };

  readonly commit = async (id: string): Promise<void> => this.#end(id, 'commit');

  readonly rollback = async (id: string): Promise<void> => this.#end(id, 'rollback');

  close(): void {
    clearTimeout(this.#open?.timer);
    this.#database?.close();
    this.#database = undefined;
  }

  #use(): ModuleDatabase {
    const { required_permissions, optional_permissions, database } = this.#manifest ?? {};
    if (![...(required_permissions ?? []), ...(optional_permissions ?? [])].includes('database')) {
      throw new PlexiError('PERMISSION_DENIED', 'Using the database needs the permission database.');
    }
    if (database?.enabled !== true) {
      throw new PlexiError('DATABASE_ERROR', 'The module has no database: config.yaml needs database.enabled: true.');
    }
    this.#database ??= new ModuleDatabase({
      connection: openInMemory(),
      tables: database.tables,
      quotaMb: database.quota_mb,
    });
    return this.#database;
  }

  async #untilFree(): Promise<void> {
    while (this.#open !== undefined) await this.#open.over.promise;
  }

  #end(id: string, how: 'commit' | 'rollback'): void {
    const open = this.#open;
    if (open?.id !== id) throw gone();
    clearTimeout(open.timer);
    this.#open = undefined;
    try {
      this.#use()[how]();
    } catch (error) {
      throw toPlexiError(error);
    } finally {
      open.over.resolve();
    }
  }
}

/** Loaded when a test uses it; and who tests a module may do without the types of Node. */
function openInMemory(): SqliteConnection {
  const { process } = globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } };
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as {
    DatabaseSync: new (path: string, options: object) => SqliteConnection;
  };
  return new DatabaseSync(':memory:', SQLITE_OPTIONS);
}

function answer(database: ModuleDatabase, statement: SqlStatement): SqlAnswer {
  try {
    return { result: database.run(statement) };
  } catch (error) {
    const { code, message } = toPlexiError(error);
    return { code, message };
  }
}

function toPlexiError(error: unknown): PlexiError {
  if (error instanceof SqlError) return new PlexiError(error.code, error.message);
  throw error;
}

function gone(): PlexiError {
  return new PlexiError('DATABASE_TIMEOUT', 'There is no such transaction any more; it was rolled back.');
}
