/** What a module's SQL may do, over a real SQLite in memory. */
import { DatabaseSync } from 'node:sqlite';
import { ModuleDatabase } from '@plexichat/sdk/database/module-database';
import { SQLITE_OPTIONS, type SqliteConnection } from '@plexichat/sdk/database/sqlite';
import type { SqlResult, SqlWireValue } from '@plexichat/sdk/protocol/capabilities/db';
import type { Table } from '@plexichat/sdk/protocol/manifest-database';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { FORBIDDEN_SQL } from '../support/hostile-sql.ts';

const TABLES: readonly Table[] = [
  {
    name: 'notes',
    columns: [
      { name: 'id', type: 'integer', primary_key: true },
      { name: 'text', type: 'text', nullable: true },
    ],
  },
  {
    name: 'kinds',
    columns: [
      { name: 'id', type: 'integer', primary_key: true },
      { name: 'whole', type: 'integer', nullable: true },
      { name: 'part', type: 'real', nullable: true },
      { name: 'text', type: 'text', nullable: true, max_length: 5 },
      { name: 'bytes', type: 'blob', nullable: true },
      { name: 'done', type: 'boolean', nullable: true },
      { name: 'at', type: 'datetime', nullable: true },
      { name: 'data', type: 'json', nullable: true },
    ],
  },
];

let database: ModuleDatabase;
beforeEach(() => {
  const connection = new DatabaseSync(':memory:', SQLITE_OPTIONS) as unknown as SqliteConnection;
  database = new ModuleDatabase({ connection, tables: TABLES, quotaMb: 1 });
});

const run = (sql: string, ...params: SqlWireValue[]) => JSON.parse(database.run({ sql, params })) as SqlResult;
const rows = (sql: string, ...params: SqlWireValue[]) => run(sql, ...params)[2];
const refusal = (sql: string, ...params: SqlWireValue[]) => {
  try {
    run(sql, ...params);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return expect.fail(`it was carried out: ${sql.slice(0, 100)}`);
};

test.each(Object.entries(FORBIDDEN_SQL))('refused: %s', (_what, sql) => {
  run("INSERT INTO notes (text) VALUES ('kept')");
  expect(refusal(sql).code).toBe('DATABASE_ERROR');
  expect(database.isInTransaction).toBe(false);
  expect(rows('SELECT text FROM notes')).toEqual([['kept']]);
});

test('a refusal says what to do instead', () => {
  expect(refusal('CREATE TABLE mine (a)').message).toBe(
    'Not allowed: changing the schema; tables are declared in config.yaml, under database.tables.',
  );
  expect(refusal('BEGIN').message).toBe('Not allowed: BEGIN, COMMIT and ROLLBACK; use this.db.transaction.');
  expect(refusal('PRAGMA user_version').message).toBe('Not allowed: PRAGMA.');
});

describe('ordinary SQL', () => {
  it.each([
    'SELECT count(*) FROM notes',
    'SELECT count(*) FROM NOTES',
    'WITH c AS (SELECT 1) SELECT count(*) FROM c',
    'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3) SELECT sum(x) FROM c',
    "SELECT value FROM json_each('[1,2]')",
    'SELECT n.id FROM notes n LEFT JOIN kinds k ON k.id = n.id WHERE n.text LIKE ? GROUP BY n.id HAVING count(*) > 1',
    'SELECT row_number() OVER (ORDER BY id) FROM notes',
    'INSERT INTO notes (id, text) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET text = excluded.text',
    'REPLACE INTO notes (id) VALUES (1)',
    'UPDATE notes SET text = kinds.text FROM kinds WHERE kinds.id = notes.id',
    'DELETE FROM notes',
    'EXPLAIN QUERY PLAN SELECT * FROM notes',
    'SELECT 1; -- a comment\n ; /* another */',
    'VALUES (1), (2)',
  ])('passes: %s', (sql) => {
    expect(() => run(sql)).not.toThrow();
  });

  it('tells what it changed', () => {
    expect(run("INSERT INTO notes (text) VALUES ('a'), ('b')").slice(3)).toEqual([2, 2]);
    expect(run("UPDATE notes SET text = 'c' RETURNING id")).toEqual([['id'], '-', [[1], [2]], 2, null]);
  });

  it('sees the constraints of its tables', () => {
    expect(refusal("INSERT INTO kinds (text) VALUES ('too long')")).toMatchObject({ code: 'DATABASE_CONSTRAINT' });
    expect(refusal("INSERT INTO kinds (whole) VALUES ('text')").code).toBe('DATABASE_CONSTRAINT');
    expect(refusal('INSERT INTO kinds (done) VALUES (2)').code).toBe('DATABASE_CONSTRAINT');
    expect(refusal("INSERT INTO kinds (data) VALUES ('{')").code).toBe('DATABASE_CONSTRAINT');
    expect(refusal("INSERT INTO kinds (at) VALUES ('yesterday')").code).toBe('DATABASE_CONSTRAINT');
  });
});

describe('values', () => {
  it('come back with the kind of their column', () => {
    run('INSERT INTO kinds (done, data, at) VALUES (1, ?, ?)', '{"a":[1]}', '2026-01-02T03:04:05.678Z');
    expect(run('SELECT done, data AS other, at, id + 1, max(done) FROM kinds')).toEqual([
      ['done', 'other', 'at', 'id + 1', 'max(done)'],
      'bj---',
      [[1, '{"a":[1]}', '2026-01-02T03:04:05.678Z', 2, 1]],
      0,
      null,
    ]);
  });

  it('are whole numbers where they look like it', () => {
    expect(rows('SELECT typeof(?), typeof(?), 7 / ?', 5, 5.5, 2)).toEqual([['integer', 'real', 3]]);
    run('INSERT INTO notes (text) VALUES (?)', 5);
    expect(rows('SELECT text FROM notes')).toEqual([['5']]);
  });

  it('that JavaScript cannot hold are refused, not changed', () => {
    run('INSERT INTO kinds (whole) VALUES (?)', { i: '9223372036854775807' });
    expect(refusal('SELECT whole FROM kinds').message).toContain('CAST(it AS TEXT)');
    expect(rows('SELECT CAST(whole AS TEXT) FROM kinds')).toEqual([['9223372036854775807']]);
    expect(refusal('SELECT ?', { i: '9223372036854775808' }).message).toContain('beyond 64 bits');
    expect(refusal('SELECT ?', { b: '=' }).message).toBe('A blob is not base64.');
  });

  it('of any kind survive the way in and out', () => {
    fc.assert(
      fc.property(
        fc.record({
          whole: fc.option(fc.maxSafeInteger()),
          part: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
          text: fc.option(fc.string({ unit: 'binary', maxLength: 5 })),
          bytes: fc.option(fc.uint8Array({ maxLength: 40 })),
        }),
        ({ whole, part, text, bytes }) => {
          const blob = bytes === null ? null : { b: Buffer.from(bytes).toString('base64') };
          const sql =
            'INSERT INTO kinds (whole, part, text, bytes) VALUES (?, ?, ?, ?) RETURNING whole, part, text, bytes';
          // JSON knows no -0.
          expect(rows(sql, whole, part, text, blob)).toEqual([[whole, part === 0 ? 0 : part, text, blob]]);
        },
      ),
    );
  });
});

describe('an answer', () => {
  const count = (limit: number) => `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ${limit})`;

  it('of too many rows is refused', () => {
    expect(rows(`${count(10_000)} SELECT x FROM c`)).toHaveLength(10_000);
    expect(refusal(`${count(10_001)} SELECT x FROM c`).message).toContain('more than 10000 rows');
  });

  it('that is too large is refused', () => {
    expect(refusal('SELECT hex(zeroblob(600000))').message).toContain('more than 1000000 characters');
  });

  it('that is too large leaves nothing of the change behind', () => {
    const sql = `INSERT INTO notes (text) ${count(10_001)} SELECT x FROM c RETURNING id`;
    expect(refusal(sql).message).toContain('more than 10000 rows');
    database.begin();
    run("INSERT INTO notes (text) VALUES ('kept')");
    expect(refusal(sql).message).toContain('more than 10000 rows');
    database.commit();
    expect(rows('SELECT text FROM notes')).toEqual([['kept']]);
  });
});

describe('what was perhaps done before', () => {
  it('is read again, and changed no second time', () => {
    expect(() => database.run({ sql: 'SELECT * FROM notes', params: [] }, true)).not.toThrow();
    for (const sql of [
      "INSERT INTO notes (text) VALUES ('a')",
      'WITH c AS (SELECT 1) DELETE FROM notes RETURNING id',
    ]) {
      expect(() => database.run({ sql, params: [] }, true)).toThrow('may be done or not');
      // Also when it was prepared before.
      expect(() => database.run({ sql, params: [] }, true)).toThrow('may be done or not');
    }
    expect(rows('SELECT count(*) FROM notes')).toEqual([[0]]);
  });
});

describe('the quota', () => {
  it('is all that the file may have, and what was refused is not there', () => {
    const fill = 'INSERT INTO notes (text) VALUES (hex(zeroblob(100000)))';
    let error: { code: string } | undefined;
    for (let count = 0; count < 20 && error === undefined; count++) {
      try {
        run(fill);
      } catch (caught) {
        error = caught as { code: string };
      }
    }
    expect(error).toMatchObject({ code: 'QUOTA_EXCEEDED', message: expect.stringContaining('database.quota_mb') });
    run('DELETE FROM notes WHERE id = 1');
    expect(() => run(fill)).not.toThrow();
  });
});
