/** What the embedded database answers, beside what node-postgres answers from a server. */
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PglitePool } from '../../runtime/queue/pglite-pool.ts';
import { embeddedFolder } from '../support/embedded-folder.ts';
import { missingPostgres, startPostgres } from '../support/postgres-server.ts';

if (missingPostgres !== undefined) {
  if (process.env.CI) throw new Error(`The tests of the embedded database's answers cannot run: ${missingPostgres}`);
  console.warn(`Skipped: the tests of the embedded database's answers. ${missingPostgres}`);
}

const QUERIES: readonly (readonly [text: string, ...params: unknown[]])[] = [
  [
    'SELECT 1::int2 AS a, 2::int4 AS b, 9007199254740993::int8 AS c, 1.50::numeric AS d, 0.1::float4 AS e, 0.1::float8 AS f',
  ],
  ['SELECT true AS a, false AS b, NULL AS c, $1::bool AS d', true],
  [`SELECT 'x'::text AS a, 'x'::char(3) AS b, '\u00e4\u{1f600}'::varchar AS c, 'n'::name AS d`],
  [
    `SELECT '{"b":1,"a":[null,1.0,1e400]}'::jsonb::text AS a, '{"b":1,"a":[null,1.5]}'::jsonb AS b, '{"b": 1}'::json AS c`,
  ],
  [
    `SELECT '{a,"b,c",NULL,"NULL",""}'::text[] AS a, '{{1,2},{3,4}}'::int4[] AS b, '{1,2}'::int8[] AS c, '{t,f}'::bool[] AS d`,
  ],
  [`SELECT ARRAY['{"a":1}'::jsonb] AS a, ARRAY[1.5]::float8[] AS b, ARRAY['2026-01-02'::date] AS c`],
  [
    `SELECT '2026-01-02T03:04:05.678901Z'::timestamptz AS a, '2026-01-02 03:04:05'::timestamp AS b, '2026-01-02'::date AS c`,
  ],
  ['SELECT $1::text AS a, $2::int8 AS b, $3::float8 AS c, $4::jsonb AS d', 'a\\"b', 2n ** 60n, 1.25, { a: [1, 'x'] }],
  [
    'SELECT $1::text[] AS a, $2::int4[] AS b',
    ['a,b', 'c"d', 'e\\f', '', null, 'NULL', ' '],
    [
      [1, 2],
      [3, null],
    ],
  ],
  ['SELECT $1::jsonb AS a, $2::jsonb AS b', '"text"', JSON.stringify(null)],
  ['SELECT $1::timestamptz AS a', new Date(1_700_000_000_123)],
  ['SELECT $1::text AS a, $2::text AS b', undefined, 0],
  ['SELECT 1 AS a, 2 AS a'],
  ['SELECT generate_series(1, 3) AS a'],
  ['CREATE TEMPORARY TABLE t (a int PRIMARY KEY, b text)'],
  [`INSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING *`],
  ['UPDATE t SET b = $1 WHERE a > 5', 'z'],
  ['INSERT INTO t VALUES ($1, $2)', 1, 'again'],
  ['SELECT * FROM missing'],
  ['SELECT $1::int', 'x'],
  [`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'BM001', DETAIL = '-7', HINT = 'h'; END $$`],
];

describe.skipIf(missingPostgres !== undefined)('the embedded database beside a server', () => {
  it('answers what node-postgres answers: values, counts and errors', async () => {
    const server = await startPostgres();
    onTestFinished(() => server.remove());
    const client = new pg.Client(server.url);
    client.on('error', () => undefined);
    await client.connect();
    onTestFinished(() => client.end());
    await client.query(`SET TIME ZONE 'UTC'`);
    const embedded = await PglitePool.open({
      folder: join(await embeddedFolder(), 'database'),
      durability: 'process',
      onLost: () => undefined,
      onBack: () => undefined,
      onTrouble: () => undefined,
    });
    onTestFinished(() => embedded.end());
    for (const [text, ...params] of QUERIES) {
      expect({ text, ...(await outcomeOf(embedded, text, params)) }).toEqual({
        text,
        ...(await outcomeOf(client, text, params)),
      });
    }
  });
});

interface Queryable {
  query(text: string, params: unknown[]): Promise<{ rows: unknown[]; rowCount: number | null; command: string }>;
}

async function outcomeOf(database: Queryable, text: string, params: unknown[]) {
  try {
    const { rows, rowCount, command } = await database.query(text, params);
    return { rows, rowCount, command };
  } catch (error) {
    const { message, code, detail, hint, severity, constraint, table } = error as pg.DatabaseError;
    return { message, code, detail, hint, severity, constraint, table };
  }
}
