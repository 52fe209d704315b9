/** Makes a file what its module declares, and notes in it what that was. */
import type { Table } from '../protocol/manifest-database.ts';
import { PAGE_BYTES } from './disk-space.ts';
import { planMigration } from './plan-migration.ts';
import { SqlError, toSqlError } from './sql-error.ts';
import type { SqliteConnection } from './sqlite.ts';

const SCHEMA_TABLE = 'plexi_schema';

/** Before anything is in the file; the quota at every opening. */
export function configure(connection: SqliteConnection, quotaPages: number): void {
  connection.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA journal_size_limit = 1048576;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA max_page_count = ${quotaPages};
  `);
}

/** From what there is to what is declared: all or nothing. @throws SqlError that names what would be lost, or what went wrong */
export function migrate(connection: SqliteConnection, tables: readonly Table[]): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    connection.exec(
      `CREATE TABLE IF NOT EXISTS ${SCHEMA_TABLE} (id INTEGER PRIMARY KEY CHECK (id = 1), tables TEXT NOT NULL) STRICT`,
    );
    const wanted = JSON.stringify(tables);
    const row = connection.prepare(`SELECT tables FROM ${SCHEMA_TABLE}`).get() as { tables: string } | undefined;
    if (row?.tables !== wanted) {
      const { sql, problems } = planMigration(row === undefined ? [] : (JSON.parse(row.tables) as Table[]), tables);
      if (problems.length > 0) throw new SqlError('DATABASE_ERROR', problems.join('\n'));
      for (const statement of sql) runMigration(connection, statement);
      connection.prepare(`INSERT OR REPLACE INTO ${SCHEMA_TABLE} (id, tables) VALUES (1, ?)`).run(wanted);
    }
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw toSqlError(error, undefined);
  }
}

/** @throws SqlError that says at what it failed: rows that are there may not fit */
function runMigration(connection: SqliteConnection, sql: string): void {
  try {
    connection.exec(sql);
  } catch (error) {
    const { code, message } = toSqlError(error, undefined);
    throw new SqlError(code, `${message} (at: ${sql.slice(0, 300)})`, { cause: error });
  }
}
