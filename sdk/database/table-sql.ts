/** The SQL of a declared table. Names fit `[a-z][a-z0-9_]*`, so quotes are all that they need. */
import type { Column, Table, TableIndex } from '../protocol/manifest-database.ts';

const STORED: Readonly<Record<Column['type'], string>> = {
  integer: 'INTEGER',
  real: 'REAL',
  text: 'TEXT',
  blob: 'BLOB',
  boolean: 'INTEGER',
  datetime: 'TEXT',
  json: 'TEXT',
};

/** A `datetime` whose default is this gets the time at which its row is made. */
export const NOW = 'now';
const NOW_SQL = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

export function createTableSql(table: Table, name = table.name): string {
  const keys = table.columns.filter((column) => column.primary_key).map((column) => column.name);
  // A single integer is SQLite's own row number: it is counted up by itself.
  const isRowNumber = keys.length === 1 && table.columns.some((column) => isRowNumberOf(column, keys));
  const columns = table.columns.map((column) => columnSql(column, isRowNumber && column.name === keys[0]));
  const key = keys.length === 0 || isRowNumber ? [] : [`PRIMARY KEY (${keys.map(quote).join(', ')})`];
  return `CREATE TABLE ${quote(name)} (${[...columns, ...key].join(', ')}) STRICT`;
}

export function columnSql(column: Column, isRowNumber = false): string {
  const { name, type, nullable = false, default: value } = column;
  const words = [quote(name), STORED[type]];
  if (isRowNumber) words.push('PRIMARY KEY');
  else if (!nullable) words.push('NOT NULL');
  if (value !== undefined && value !== null) words.push(`DEFAULT ${defaultSql(type, value)}`);
  const rule = ruleOf(column);
  if (rule !== undefined) words.push(`CHECK (${rule})`);
  return words.join(' ');
}

/** By the name that is its own in the file. */
export function indexesOf(table: Table): ReadonlyMap<string, string> {
  const unique = table.columns.filter((column) => column.unique && !column.primary_key);
  const wanted: TableIndex[] = [
    ...unique.map((column): TableIndex => ({ columns: [column.name], unique: true })),
    ...(table.indexes ?? []),
  ];
  return new Map(
    wanted.map((index) => {
      const name = `plexi_${table.name}_${index.unique === true ? 'unique' : 'by'}_${index.columns.join('_and_')}`;
      const columns = index.columns.map(quote).join(', ');
      return [
        name,
        `CREATE ${index.unique === true ? 'UNIQUE ' : ''}INDEX ${quote(name)} ON ${quote(table.name)} (${columns})`,
      ];
    }),
  );
}

export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isRowNumberOf(column: Column, keys: readonly string[]): boolean {
  return column.name === keys[0] && column.type === 'integer';
}

function defaultSql(type: Column['type'], value: string | number | boolean): string {
  if (type === 'datetime' && value === NOW) return NOW_SQL;
  if (type === 'json') return literal(typeof value === 'string' && isJson(value) ? value : JSON.stringify(value));
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' ? String(value) : literal(value);
}

/** YAML has no other way to say `{}` here. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function ruleOf({ name, type, max_length }: Column): string | undefined {
  const column = quote(name);
  switch (type) {
    case 'boolean':
      return `${column} IN (0, 1)`;
    case 'json':
      return `json_valid(${column})`;
    case 'datetime':
      return `${column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]*'`;
    case 'text':
      return max_length === undefined ? undefined : `length(${column}) <= ${max_length}`;
    default:
      return undefined;
  }
}
