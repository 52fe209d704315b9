/**
 * One module's database over one connection: its declared tables, its statements under the rules, one transaction at a
 * time. The same in the data cell of a host and in the test harness.
 */
import type { SqlStatement } from '../protocol/capabilities/db.ts';
import type { Table } from '../protocol/manifest-database.ts';
import { judgeAction, resultOf, type Verdict } from './authorizer.ts';
import { type DiskSpace, isAmple, PAGE_BYTES, pagesFor } from './disk-space.ts';
import { configure, migrate } from './migrate.ts';
import { readResult } from './read-result.ts';
import { SqlError, toSqlError } from './sql-error.ts';
import type { SqliteConnection, SqliteStatement, SqliteValue } from './sqlite.ts';
import { toSqliteValue } from './sqlite-values.ts';

export interface ModuleDatabaseOptions {
  readonly connection: SqliteConnection;
  readonly tables: readonly Table[];
  readonly quotaMb: number;
  /** Asked before every change; absent: the disk has no end. */
  readonly space?: () => DiskSpace;
}

interface Prepared {
  readonly statement: SqliteStatement;
  readonly writes: boolean;
  readonly columns: readonly string[];
  readonly kinds: string;
}

const PAGES_PER_MB = (1024 * 1024) / PAGE_BYTES;
const MAX_PREPARED = 200;
/** Longer ones are rare, and each that is kept costs a multiple of its length. */
const MAX_PREPARED_SQL = 4_000;
/** A statement's own undo, when it changes something and its answer turns out to be too large. */
const UNDO = 'plexi_statement';

export class ModuleDatabase {
  readonly #connection: SqliteConnection;
  readonly #prepared = new Map<string, Prepared>();
  /** By column, by table. */
  readonly #kinds: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #tables: ReadonlySet<string>;
  readonly #space: (() => DiskSpace) | undefined;
  readonly #quotaPages: number;
  /** What SQLite was told: less than the quota while the disk is nearly full. */
  #maxPages: number;
  /** While the platform's own SQL is prepared. */
  #isOurs = true;
  #writes = false;
  #refused: string | undefined;

  /** Creates and migrates the tables. @throws SqlError that names what would be lost, or what went wrong */
  constructor({ connection, tables, quotaMb, space }: ModuleDatabaseOptions) {
    this.#connection = connection;
    this.#space = space;
    this.#quotaPages = quotaMb * PAGES_PER_MB;
    this.#maxPages = this.#quotaPages;
    this.#tables = new Set(tables.map(({ name }) => name));
    this.#kinds = new Map(
      tables.map(({ name, columns }) => [name, new Map(columns.map((column) => [column.name, kindOf(column.type)]))]),
    );
    configure(connection, this.#quotaPages);
    try {
      this.#limitPages();
      migrate(connection, tables);
    } catch (error) {
      throw this.#toSqlError(error);
    }
    connection.setAuthorizer((action, first, second, database) =>
      this.#authorize(judgeAction(this.#tables, action, first, second, database)),
    );
    this.#isOurs = false;
  }

  get isInTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /**
   * @param retried it may have been carried out before: one that changes something is refused
   * @returns the JSON text of an SqlResult
   * @throws SqlError
   */
  run({ sql, params }: SqlStatement, retried = false): string {
    this.#refused = undefined;
    try {
      const prepared = this.#prepare(sql);
      if (retried && prepared.writes) throw new SqlError('DATABASE_UNAVAILABLE', MAYBE_DONE);
      const values = params.map(toSqliteValue);
      return prepared.writes ? this.#change(prepared, values) : readResult(prepared, values, 0, null);
    } catch (error) {
      throw this.#toSqlError(error);
    }
  }

  /** @throws SqlError */
  begin(): void {
    this.#ours('BEGIN IMMEDIATE');
  }

  /** @throws SqlError; it is rolled back then */
  commit(): void {
    if (!this.isInTransaction) {
      throw new SqlError('DATABASE_ERROR', 'The transaction was rolled back by the failure of one of its statements.');
    }
    try {
      this.#ours('COMMIT');
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    if (this.#connection.isTransaction) this.#ours('ROLLBACK');
  }

  close(): void {
    this.#prepared.clear();
    this.#connection.close();
  }

  #change(prepared: Prepared, values: readonly SqliteValue[]): string {
    const { statement, columns } = prepared;
    if (!this.#limitPages()) throw new SqlError('DATABASE_UNAVAILABLE', DISK_FULL, { cause: new Error(DISK_FULL) });
    if (columns.length === 0) {
      const { changes, lastInsertRowid } = statement.run(...values);
      return JSON.stringify([[], '', [], Number(changes), Number(lastInsertRowid)]);
    }
    this.#ours(`SAVEPOINT ${UNDO}`);
    try {
      const result = readResult(prepared, values, null, null);
      this.#ours(`RELEASE ${UNDO}`);
      return result;
    } catch (error) {
      // Some failures (a full disk) have rolled back everything by themselves.
      if (this.#connection.isTransaction) this.#ours(`ROLLBACK TO ${UNDO}; RELEASE ${UNDO}`);
      throw error;
    }
  }

  /**
   * Boundary: the file grows as far as the disk allows, so that the host's own state can still be written.
   * @returns false when it may not even be changed
   */
  #limitPages(): boolean {
    const space = this.#space?.();
    if (space === undefined || isAmple(space, this.#quotaPages)) {
      this.#setMaxPages(this.#quotaPages);
      return true;
    }
    const pages = this.#countPages();
    const allowed = pagesFor(space, pages, this.#quotaPages);
    this.#setMaxPages(Math.max(1, allowed ?? pages));
    return allowed !== undefined;
  }

  #countPages(): number {
    this.#isOurs = true;
    try {
      return (this.#connection.prepare('PRAGMA page_count').get() as { page_count: number }).page_count;
    } finally {
      this.#isOurs = false;
    }
  }

  #setMaxPages(pages: number): void {
    if (pages === this.#maxPages) return;
    this.#ours(`PRAGMA max_page_count = ${pages}`);
    this.#maxPages = pages;
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) {
      // The longest unused is the first.
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    this.#writes = false;
    const statement = this.#connection.prepare(sql);
    if (!isBlank(sql, statement.sourceSQL.length)) {
      throw new SqlError('DATABASE_ERROR', 'One statement at a time: there is more behind the first ";".');
    }
    statement.setReturnArrays(true);
    const columns = statement.columns();
    const prepared: Prepared = {
      statement,
      writes: this.#writes,
      columns: columns.map(({ name }) => name),
      kinds: columns.map(({ table, column }) => this.#kinds.get(table ?? '')?.get(column ?? '') ?? '-').join(''),
    };
    if (sql.length <= MAX_PREPARED_SQL) this.#keep(sql, prepared);
    return prepared;
  }

  #keep(sql: string, prepared: Prepared): void {
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size <= MAX_PREPARED) return;
    const [oldest] = this.#prepared.keys();
    if (oldest !== undefined) this.#prepared.delete(oldest);
  }

  #authorize(verdict: Verdict): number {
    if (this.#isOurs) return 0;
    if (verdict.writes) this.#writes = true;
    if (!verdict.allowed) this.#refused ??= verdict.what;
    return resultOf(verdict);
  }

  #toSqlError(error: unknown): SqlError {
    const known = toSqlError(error, this.#refused);
    if (known.code !== 'QUOTA_EXCEEDED' || this.#maxPages >= this.#quotaPages) return known;
    return new SqlError('DATABASE_UNAVAILABLE', DISK_FULL, { cause: known });
  }

  #ours(sql: string): void {
    this.#isOurs = true;
    try {
      this.#connection.exec(sql);
    } catch (error) {
      throw toSqlError(error, undefined);
    } finally {
      this.#isOurs = false;
    }
  }
}

/** For a change of which nobody knows whether it was carried out. */
export const MAYBE_DONE =
  'The database process ended while this ran; what it changes may be done or not. Look, then try again.';

const DISK_FULL = 'The disk of the host is nearly full: nothing was changed, and the database does not grow.';

/** Whether nothing but space, semicolons and comments is left of it. */
function isBlank(sql: string, from: number): boolean {
  for (let at = from; at < sql.length; ) {
    if (sql.startsWith('--', at)) at = after(sql, '\n', at);
    else if (sql.startsWith('/*', at)) at = after(sql, '*/', at + 2);
    else if (SPACE.includes(sql[at] ?? '')) at += 1;
    else return false;
  }
  return true;
}

const SPACE = ' \t\r\n\f;';

function after(text: string, end: string, from: number): number {
  const at = text.indexOf(end, from);
  return at === -1 ? text.length : at + end.length;
}

function kindOf(type: string): string {
  return type === 'boolean' ? 'b' : type === 'json' ? 'j' : '-';
}
