/** From the tables that there are to those that are declared: the SQL, or what would lose data and is left to a human. */
import type { Column, Table } from '../protocol/manifest-database.ts';
import { columnSql, createTableSql, indexesOf, NOW, quote } from './table-sql.ts';

export interface MigrationPlan {
  /** In order; nothing when all is as declared. */
  readonly sql: readonly string[];
  /** With one of these nothing is done. */
  readonly problems: readonly string[];
}

export function planMigration(known: readonly Table[], wanted: readonly Table[]): MigrationPlan {
  const sql: string[] = [];
  const problems: string[] = [];
  for (const table of known) {
    if (wanted.some(({ name }) => name === table.name)) continue;
    problems.push(
      `the table ${table.name} is not declared any more: its rows would be lost. Declare it again, or delete them first by hand.`,
    );
  }
  for (const table of wanted) {
    const before = known.find(({ name }) => name === table.name);
    if (before === undefined) {
      sql.push(createTableSql(table), ...indexesOf(table).values());
      continue;
    }
    const found = findColumnProblems(before, table);
    problems.push(...found);
    if (found.length === 0) sql.push(...changeTable(before, table));
  }
  return problems.length > 0 ? { sql: [], problems } : { sql, problems };
}

function findColumnProblems(before: Table, table: Table): string[] {
  const problems: string[] = [];
  const refuse = (column: string, why: string): unknown =>
    problems.push(`the column ${column} of the table ${table.name} ${why}`);
  for (const old of before.columns) {
    const column = table.columns.find(({ name }) => name === old.name);
    if (column === undefined) refuse(old.name, 'is not declared any more: its values would be lost.');
    else findChangeProblem(old, column, refuse);
  }
  for (const column of table.columns) {
    if (before.columns.some(({ name }) => name === column.name)) continue;
    if (column.primary_key) refuse(column.name, 'is new and part of the primary key, which cannot change.');
    else if (!column.nullable && column.default === undefined)
      refuse(column.name, 'is new: rows that are there already need a "default", or "nullable: true".');
    else if (!column.nullable && column.type === 'datetime' && column.default === NOW)
      refuse(column.name, 'is new: rows that are there already need a "default" that is a date, or "nullable: true".');
  }
  return problems;
}

function findChangeProblem(old: Column, column: Column, refuse: (column: string, why: string) => unknown): void {
  if (old.type !== column.type) refuse(column.name, `changes its type from ${old.type} to ${column.type}.`);
  else if (isTrue(old.primary_key) !== isTrue(column.primary_key))
    refuse(column.name, 'joins or leaves the primary key, which cannot change.');
  else if (isTrue(old.nullable) && !isTrue(column.nullable))
    refuse(column.name, 'was nullable and is not any more: rows without a value would be lost.');
  else if ((column.max_length ?? Infinity) < (old.max_length ?? Infinity))
    refuse(
      column.name,
      `may have at most ${column.max_length} characters now, ${old.max_length ?? 'any number'} before: longer values would be lost.`,
    );
}

function changeTable(before: Table, table: Table): string[] {
  const oldIndexes = indexesOf(before);
  const newIndexes = indexesOf(table);
  const added = table.columns.filter(({ name }) => !before.columns.some((old) => old.name === name));
  if (isCopyNeeded(before, table, added)) return [...copyTable(before, table), ...newIndexes.values()];
  return [
    ...[...oldIndexes]
      .filter(([name, sql]) => newIndexes.get(name) !== sql)
      .map(([name]) => `DROP INDEX ${quote(name)}`),
    ...added.map((column) => `ALTER TABLE ${quote(table.name)} ADD COLUMN ${columnSql(column)}`),
    ...[...newIndexes].filter(([name, sql]) => oldIndexes.get(name) !== sql).map(([, sql]) => sql),
  ];
}

/** SQLite can add a column; what a column is can change only in a copy of the table. */
function isCopyNeeded(before: Table, table: Table, added: readonly Column[]): boolean {
  return (
    added.some(({ type, default: value }) => type === 'datetime' && value === NOW) ||
    before.columns.some((old) => {
      const column = table.columns.find(({ name }) => name === old.name);
      return column !== undefined && columnSql(column) !== columnSql(old);
    })
  );
}

function copyTable(before: Table, table: Table): string[] {
  const copy = `plexi_new_${table.name}`;
  const columns = before.columns.map(({ name }) => quote(name)).join(', ');
  return [
    createTableSql(table, copy),
    `INSERT INTO ${quote(copy)} (${columns}) SELECT ${columns} FROM ${quote(table.name)}`,
    `DROP TABLE ${quote(table.name)}`,
    `ALTER TABLE ${quote(copy)} RENAME TO ${quote(table.name)}`,
  ];
}

function isTrue(value: boolean | undefined): boolean {
  return value === true;
}
