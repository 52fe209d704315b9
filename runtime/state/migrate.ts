/** Brings the schema of state.db up to date, each step once. */
import type { DatabaseSync } from 'node:sqlite';

export interface Migration {
  /** `NNN-name`; done in the order of the list. */
  readonly id: string;
  readonly sql: string;
}

/** The database has steps that this host does not know. */
export class NewerDatabaseError extends Error {
  override readonly name = 'NewerDatabaseError';
}

/** All or nothing, also when two hosts start at once. @throws NewerDatabaseError, Error of SQLite */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec('CREATE TABLE IF NOT EXISTS schema_steps (id TEXT PRIMARY KEY, done_at BIGINT NOT NULL)');
    const done = new Set(
      database
        .prepare('SELECT id FROM schema_steps')
        .all()
        .map(({ id }) => String(id)),
    );
    const unknown = [...done].filter((id) => !migrations.some((migration) => migration.id === id));
    if (unknown.length > 0) {
      throw new NewerDatabaseError(`it was written by a newer version of the host, which added ${unknown.join(', ')}`);
    }
    const note = database.prepare('INSERT INTO schema_steps (id, done_at) VALUES (?, ?)');
    for (const { id, sql } of migrations) {
      if (done.has(id)) continue;
      database.exec(sql);
      note.run(id, Date.now());
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
