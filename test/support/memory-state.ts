/** The state in memory: the same schema and the same SQL, and no thread. */
import { DatabaseSync } from 'node:sqlite';
import { migrate } from '../../runtime/state/migrate.ts';
import { MIGRATIONS } from '../../runtime/state/migrations/index.ts';
import type { Row, SqlValue, State, Statement, StatementResult } from '../../runtime/state/state.ts';
import { unavailable } from '../../runtime/state/statement.ts';

export interface MemoryState extends State {
  /** While true, nothing can be read or written. */
  isAway: boolean;
  /** Everything that is in there, as text: for what must not be found in it. */
  dump(): string;
}

export function openMemoryState(): MemoryState {
  const database = new DatabaseSync(':memory:');
  migrate(database, MIGRATIONS);
  const execute = ({ sql, params = [] }: Statement): StatementResult => {
    const statement = database.prepare(sql);
    const rows = statement.all(...params) as Row[];
    const { changes } = database.prepare('SELECT changes() AS changes').get() as { changes: number };
    return { rows, changes: /^\s*SELECT/i.test(sql) ? 0 : changes };
  };
  const state: MemoryState = {
    isAway: false,
    async run(statements) {
      if (state.isAway) throw unavailable('the test says so');
      database.exec('BEGIN');
      try {
        const results = statements.map(execute);
        database.exec('COMMIT');
        return results;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    async query(sql: string, params: readonly SqlValue[] = []) {
      const [result] = await state.run([{ sql, params }]);
      return result?.rows ?? [];
    },
    read: (sql, params = []) => database.prepare(sql).all(...params) as Row[],
    dump() {
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      return JSON.stringify(tables.map(({ name }) => database.prepare(`SELECT * FROM "${name}"`).all()));
    },
    close: async () => database.close(),
  };
  return state;
}
