/** How declared tables come to be, and what happens when a declaration changes. */
import { DatabaseSync } from 'node:sqlite';
import { ModuleDatabase } from '@plexichat/sdk/database/module-database';
import { SQLITE_OPTIONS, type SqliteConnection } from '@plexichat/sdk/database/sqlite';
import type { SqlResult, SqlWireValue } from '@plexichat/sdk/protocol/capabilities/db';
import type { Column, Table } from '@plexichat/sdk/protocol/manifest-database';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

const ID: Column = { name: 'id', type: 'integer', primary_key: true };
const table = (columns: readonly Column[], indexes: Table['indexes'] = []): Table => ({
  name: 'notes',
  columns: [ID, ...columns],
  indexes,
});

let connection: SqliteConnection;
beforeEach(() => {
  connection = new DatabaseSync(':memory:', SQLITE_OPTIONS) as unknown as SqliteConnection;
});

/** As after an upgrade: the same file, another declaration. */
function open(...tables: Table[]) {
  connection.setAuthorizer(() => 0);
  const database = new ModuleDatabase({ connection, tables, quotaMb: 1 });
  return {
    rows: (sql: string, ...params: SqlWireValue[]) => (JSON.parse(database.run({ sql, params })) as SqlResult)[2],
  };
}

const TEXT: Column = { name: 'text', type: 'text' };

describe('a new declaration', () => {
  it('adds tables and columns, and rows that are there get the default', () => {
    open(table([TEXT])).rows("INSERT INTO notes (text) VALUES ('old')");
    const { rows } = open(
      table([
        TEXT,
        { name: 'done', type: 'boolean', default: true },
        { name: 'tags', type: 'json', default: '[]' },
        { name: 'word', type: 'json', default: 'plain' },
        { name: 'due', type: 'datetime', nullable: true },
        { name: 'part', type: 'real', default: 0.5 },
        { name: 'quote', type: 'text', default: "it's" },
      ]),
      { name: 'other', columns: [ID] },
    );
    expect(rows('SELECT * FROM notes')).toEqual([[1, 'old', 1, '[]', '"plain"', null, 0.5, "it's"]]);
    expect(rows('SELECT * FROM other')).toEqual([]);
  });

  it('may loosen a column: its table is copied, with all rows and indexes', () => {
    const before = table([{ ...TEXT, max_length: 5, unique: true }], [{ columns: ['text', 'id'] }]);
    open(before).rows("INSERT INTO notes (id, text) VALUES (7, 'old')");
    const { rows } = open(
      table(
        [{ ...TEXT, max_length: 50, nullable: true, unique: true, default: 'none' }],
        [{ columns: ['text', 'id'] }],
      ),
    );
    rows("INSERT INTO notes (id, text) VALUES (8, 'longer than five')");
    expect(rows('SELECT * FROM notes')).toEqual([
      [7, 'old'],
      [8, 'longer than five'],
    ]);
    expect(() => rows("INSERT INTO notes (text) VALUES ('old')")).toThrow('UNIQUE');
    expect(String(rows('EXPLAIN QUERY PLAN SELECT id FROM notes WHERE text = 1')[0]?.[3])).toContain('INDEX');
  });

  it('adds a time of its own to new rows, also where there are some already', () => {
    open(table([])).rows('INSERT INTO notes (id) VALUES (1)');
    const at: Column = { name: 'at', type: 'datetime', nullable: true, default: 'now' };
    const { rows } = open(table([at]));
    rows('INSERT INTO notes (id) VALUES (2)');
    expect(rows('SELECT at FROM notes')[1]).toEqual([expect.stringMatching(/^\d{4}-.*T.*\.\d{3}Z$/)]);
  });

  it('changes indexes as it likes', () => {
    open(table([{ ...TEXT, unique: true }])).rows("INSERT INTO notes (text) VALUES ('a')");
    open(table([TEXT], [{ columns: ['text'] }])).rows("INSERT INTO notes (text) VALUES ('a')");
    expect(() => open(table([TEXT], [{ columns: ['text'], unique: true }]))).toThrow(
      /^UNIQUE constraint failed: notes\.text \(at: CREATE UNIQUE INDEX/,
    );
    expect(open(table([TEXT])).rows('SELECT text FROM notes')).toEqual([['a'], ['a']]);
  });

  it('has keys of several columns', () => {
    const pair: Table = {
      name: 'pairs',
      columns: [
        { name: 'left', type: 'text', primary_key: true },
        { name: 'right', type: 'integer', primary_key: true },
      ],
    };
    const { rows } = open(pair);
    rows(`INSERT INTO pairs VALUES ('a', 1), ('a', 2)`);
    expect(() => rows(`INSERT INTO pairs VALUES ('a', 1)`)).toThrow('UNIQUE');
    expect(() => rows(`INSERT INTO pairs VALUES (NULL, 1)`)).toThrow('NOT NULL');
  });
});

describe('what would lose data is refused, with table and column named, and changes nothing', () => {
  const before = [
    { ...TEXT, nullable: true, max_length: 10 },
    { name: 'done', type: 'boolean', default: false },
  ] as const;

  it.each([
    ['a table that is gone', [{ name: 'other', columns: [ID] }], 'the table notes is not declared any more'],
    ['a column that is gone', [table([before[0]])], 'the column done of the table notes is not declared any more'],
    [
      'another type',
      [table([before[0], { ...before[1], type: 'integer', default: 0 }])],
      'the column done of the table notes changes its type from boolean to integer',
    ],
    [
      'another key',
      [{ name: 'notes', columns: [{ ...ID, primary_key: false }, ...before] }],
      'the column id of the table notes joins or leaves the primary key',
    ],
    [
      'no NULL any more',
      [table([{ ...before[0], nullable: false }, before[1]])],
      'the column text of the table notes was nullable and is not any more',
    ],
    [
      'less text',
      [table([{ ...before[0], max_length: 9 }, before[1]])],
      'the column text of the table notes may have at most 9 characters now, 10 before',
    ],
    [
      'a new column that rows which are there cannot have',
      [table([...before, { name: 'owner', type: 'text' }])],
      'the column owner of the table notes is new: rows that are there already need a "default", or "nullable: true"',
    ],
  ] as const)('%s', (_what, tables, problem) => {
    open(table([...before])).rows("INSERT INTO notes (text) VALUES ('kept')");
    expect(() => open(...(tables as readonly Table[]))).toThrow(problem);
    expect(open(table([...before])).rows('SELECT * FROM notes')).toEqual([[1, 'kept', 0]]);
  });

  it('all of it at once', () => {
    open(table([TEXT]), { name: 'other', columns: [ID] });
    expect(() => open(table([]))).toThrow(/the table other .*\nthe column text of the table notes/);
  });
});

it('any declaration makes tables that take its defaults, twice the same', () => {
  const column = fc.record({
    type: fc.constantFrom('integer', 'real', 'text', 'boolean', 'json', 'datetime', 'blob'),
    nullable: fc.boolean(),
    unique: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(column, { maxLength: 6 }), (columns) => {
      connection = new DatabaseSync(':memory:', SQLITE_OPTIONS) as unknown as SqliteConnection;
      const declared = table(columns.map((one, at) => ({ name: `column_${at}`, ...one }) as Column));
      open(declared);
      expect(open(declared).rows('SELECT * FROM notes')).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
