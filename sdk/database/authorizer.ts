/**
 * Boundary: what a module's SQL may do, as SQLite asks while it prepares a statement. An allow-list: reading and writing
 * the declared tables, and computing. Everything else (ATTACH, PRAGMA, VACUUM INTO, tables of its own, transactions,
 * the schema's own tables) is refused, whatever future versions of SQLite may add.
 */

const SCHEMA = 'changing the schema; tables are declared in config.yaml, under database.tables';
const DENY = 1;
const OK = 0;

/** SQLite's action codes. */
const ACTION = { DELETE: 9, INSERT: 18, READ: 20, SELECT: 21, UPDATE: 23, FUNCTION: 31, RECURSIVE: 33 } as const;

/** Table-valued functions that only compute. */
const COMPUTED = new Set(['json_each', 'json_tree']);
/** Functions that load code, or belong to virtual tables, which a module has none of. */
const REFUSED_FUNCTION = /^(?:load_extension|fts\d|rtree|geopoly|rbu|sqlite_|sqlar|readfile|writefile|edit$)/i;

/** What is a table although nobody declared it. */
const HIDDEN = /^(?:pragma_|sqlite|plexi_|dbstat|fts|rtree|geopoly|bytecode|tables_used)/i;

export interface Verdict {
  readonly allowed: boolean;
  readonly writes: boolean;
  /** What was refused, for a sentence. */
  readonly what?: string;
}

const READS: Verdict = { allowed: true, writes: false };
const WRITES: Verdict = { allowed: true, writes: true };

/** @param tables the declared ones */
export function judgeAction(
  tables: ReadonlySet<string>,
  action: number,
  first: string | null,
  second: string | null,
  database: string | null,
): Verdict {
  switch (action) {
    case ACTION.SELECT:
    case ACTION.RECURSIVE:
      return READS;
    case ACTION.FUNCTION:
      return REFUSED_FUNCTION.test(second ?? '') ? refuse(`the function ${second}`) : READS;
    case ACTION.READ:
      return isReadable(tables, first, second, database) ? READS : refuse(`the table ${first}`);
    case ACTION.INSERT:
    case ACTION.UPDATE:
    case ACTION.DELETE:
      return isTable(tables, first, database) ? WRITES : refuse(describe(first));
    default:
      return refuse(Object.hasOwn(NAMES, action) ? (NAMES[action] ?? '') : 'this kind of statement');
  }
}

export function resultOf({ allowed }: Verdict): number {
  return allowed ? OK : DENY;
}

function isReadable(
  tables: ReadonlySet<string>,
  name: string | null,
  column: string | null,
  database: string | null,
): boolean {
  if (name !== null && (isTable(tables, name, database) || COMPUTED.has(name))) return true;
  // No column of it is read (`count(*)`), and the name is the statement's own word for it: that of a WITH, as a rule.
  return column === '' && name !== null && !HIDDEN.test(name);
}

function isTable(tables: ReadonlySet<string>, name: string | null, database: string | null): boolean {
  return database === 'main' && name !== null && tables.has(name);
}

function describe(table: string | null): string {
  // How SQLite itself sees CREATE, DROP and ALTER.
  return table?.startsWith('sqlite_') ? SCHEMA : `the table ${table}`;
}

function refuse(what: string): Verdict {
  return { allowed: false, writes: false, what };
}

const NAMES: Readonly<Record<number, string>> = {
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 26, 29, 30].map((code) => [code, SCHEMA]),
  ),
  19: 'PRAGMA',
  22: 'BEGIN, COMMIT and ROLLBACK; use this.db.transaction',
  24: 'ATTACH',
  25: 'DETACH',
  27: 'REINDEX',
  28: 'ANALYZE',
  32: 'SAVEPOINT; use this.db.transaction',
};
