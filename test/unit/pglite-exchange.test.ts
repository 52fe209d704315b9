import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExchange } from '../../runtime/queue/pglite-exchange.ts';
import { createSession } from '../../runtime/queue/pglite-session.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
});
afterAll(() => database.close());

const broken: unknown[] = [];
const open = () => createSession(createExchange(database, (error) => void broken.push(error)));

it('gives the answer at once, whole, however long it is, and an error as an answer', () => {
  const session = open();
  const { outcome } = session.run("SELECT repeat('x', 3000000) AS long, $1::text AS said", ['hello']);
  if (!('result' in outcome)) throw new Error(outcome.error.message);
  const [row] = outcome.result.rows as { long: string; said: string }[];
  expect([row?.long.length, row?.said]).toEqual([3_000_000, 'hello']);
  expect(session.run('SELECT 1 / 0', []).outcome).toMatchObject({ error: { code: '22012' } });
  expect(session.run('SELECT 1 AS one', []).outcome).toMatchObject({ result: { rows: [{ one: 1 }] } });
  expect(broken).toEqual([]);
});

it('keeps nothing of what was answered', () => {
  const session = open();
  const ask = (times: number): number => {
    for (let count = 0; count < times; count++) session.run('SELECT * FROM pg_settings LIMIT 5', []);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = ask(200);
  // Half a megabyte a hundred times, were it kept.
  expect(ask(1_000) - before).toBeLessThan(1_000_000);
});
