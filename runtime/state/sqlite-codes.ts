/** What SQLite's numbers mean for who asked. */

/** The extended code; 0 when the error is not SQLite's. */
export function sqliteCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}

const CONSTRAINT = 19;
const TROUBLE: Readonly<Record<number, string>> = {
  5: 'another process is writing',
  6: 'another process is writing',
  7: 'there is no memory left',
  8: 'its file cannot be written',
  10: 'its disk does not work',
  11: 'its file is damaged',
  13: 'its disk is full',
  14: 'its file cannot be opened',
  26: 'its file is damaged',
};
const PRIMARY = 0xff;

export function isConstraint(error: unknown): boolean {
  return (sqliteCode(error) & PRIMARY) === CONSTRAINT;
}

export function isDamage(error: unknown): boolean {
  return TROUBLE[sqliteCode(error) & PRIMARY] === TROUBLE[11];
}

/** What keeps the database from working, when it is not the statement's own fault. */
export function troubleOf(error: unknown): string | undefined {
  return TROUBLE[sqliteCode(error) & PRIMARY];
}

/** After these only opening it anew may help. */
export function needsReopening(error: unknown): boolean {
  return [10, 11, 14, 26].includes(sqliteCode(error) & PRIMARY);
}
