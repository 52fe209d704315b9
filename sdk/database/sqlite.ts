/** As much of node:sqlite as a module's database needs: the sdk names no module of Node. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

export interface SqliteColumn {
  readonly name: string;
  /** Where the values come from; null: they are computed. */
  readonly table: string | null;
  readonly column: string | null;
}

export interface SqliteStatement {
  readonly sourceSQL: string;
  columns(): readonly SqliteColumn[];
  setReturnArrays(enabled: boolean): void;
  run(...params: SqliteValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  iterate(...params: SqliteValue[]): Iterable<unknown>;
  get(...params: SqliteValue[]): unknown;
}

export interface SqliteConnection {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  setAuthorizer(
    authorizer: (
      action: number,
      first: string | null,
      second: string | null,
      database: string | null,
      trigger: string | null,
    ) => number,
  ): void;
  close(): void;
}

/** Options of DatabaseSync: what SQLite itself refuses, whatever else lets it pass. */
export const SQLITE_OPTIONS = {
  defensive: true,
  allowExtension: false,
  enableDoubleQuotedStringLiterals: false,
  enableForeignKeyConstraints: true,
  limits: {
    length: 2_000_000,
    sqlLength: 400_000,
    column: 500,
    exprDepth: 200,
    compoundSelect: 50,
    vdbeOp: 100_000,
    functionArg: 100,
    // Boundary: ATTACH, and VACUUM INTO, which attaches what it writes to.
    attach: 0,
    likePatternLength: 500,
    variableNumber: 1_000,
    triggerDepth: 10,
  },
} as const;
