/** Records of the queue in one table of a PostgreSQL, be it a server or embedded. */
import type { RecordStore } from './backend.ts';

export interface SqlPool {
  query(text: string, params?: readonly unknown[]): Promise<{ rows: readonly unknown[] }>;
}

/** Several hosts may start at once: `CREATE … IF NOT EXISTS` alone can fail when two do it in the same moment. */
const PREPARE = `DO $prepare$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('plexichat.task_record'));
  CREATE SCHEMA IF NOT EXISTS plexichat;
  CREATE TABLE IF NOT EXISTS plexichat.task_record (
    prefix text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (prefix, key)
  );
END $prepare$`;

const READ = 'SELECT value FROM plexichat.task_record WHERE prefix = $1 AND key = $2';
const LIST = 'SELECT key, value FROM plexichat.task_record WHERE prefix = $1 AND starts_with(key, $2) ORDER BY key';
const WRITE = `INSERT INTO plexichat.task_record (prefix, key, value) VALUES ($1, $2, $3)
  ON CONFLICT (prefix, key) DO UPDATE SET value = excluded.value`;
const DELETE = 'DELETE FROM plexichat.task_record WHERE prefix = $1 AND key = $2';
const INCREMENT = `INSERT INTO plexichat.task_record AS record (prefix, key, value) VALUES ($1, $2, '1')
  ON CONFLICT (prefix, key) DO UPDATE SET value = (record.value::bigint + 1)::text
  RETURNING value`;

export function createSqlRecords(pool: SqlPool, prefix: string): RecordStore & { prepare(): Promise<void> } {
  return {
    async prepare() {
      await pool.query(PREPARE);
    },
    async read(key) {
      const { rows } = await pool.query(READ, [prefix, key]);
      return rows.length === 0 ? undefined : textOf(rows[0], 'value');
    },
    async list(start) {
      const { rows } = await pool.query(LIST, [prefix, start]);
      return new Map(rows.map((row) => [textOf(row, 'key'), textOf(row, 'value')]));
    },
    async write(key, text) {
      await pool.query(WRITE, [prefix, key, text]);
    },
    async delete(key) {
      await pool.query(DELETE, [prefix, key]);
    },
    async increment(key) {
      const { rows } = await pool.query(INCREMENT, [prefix, key]);
      return Number(textOf(rows[0], 'value'));
    },
  };
}

function textOf(row: unknown, column: 'key' | 'value'): string {
  const text = (row as Partial<Record<string, unknown>> | undefined)?.[column];
  if (typeof text === 'string') return text;
  throw new Error(`The table plexichat.task_record answered ${typeof text} for "${column}"; text was expected.`);
}
