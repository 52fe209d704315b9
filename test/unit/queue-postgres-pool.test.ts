import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import type { PostgresListener } from '../../runtime/queue/postgres-listener.ts';
import { CONSUMERS, createPool, type PoolSide, PRODUCERS } from '../../runtime/queue/postgres-pool.ts';
import { createReachability } from '../../runtime/queue/reachability.ts';
import { createServerClock } from '../../runtime/queue/server-clock.ts';

const failure = (code: string) => Object.assign(new Error(`failure ${code}`), { code });

/** A pool whose queries fail with these, one after the other, and then succeed. */
function setUp(side: PoolSide, ...failures: Error[]) {
  const stop = new AbortController();
  const reachability = createReachability('the server', { onOnline: () => undefined, onError: () => undefined });
  const broken: Error[] = [];
  let asked = 0;
  const query = async () => {
    const error = failures[asked++];
    if (error) throw error;
    return { rows: [{ ok: true }] };
  };
  const settings = {
    pool: { query } as unknown as Pool,
    listener: {} as PostgresListener,
    reachability,
    clock: createServerClock(
      async () => Date.now(),
      () => undefined,
    ),
    onBroken: (error: Error) => void broken.push(error),
    known: new Map(),
    stop: stop.signal,
  };
  return { pool: createPool(settings, side), reachability, broken, stop, asked: () => asked };
}

describe('what BullMQ gets for a PostgreSQL pool', () => {
  it('asks again after a deadlock or a failed serialization', async () => {
    const { pool, asked } = setUp(PRODUCERS, failure('40P01'), failure('40001'), failure('40P01'));
    expect((await pool.query('SELECT')).rows).toEqual([{ ok: true }]);
    expect(asked()).toBe(4);
  });

  it('gives up on a deadlock that does not end', async () => {
    const { pool, asked } = setUp(PRODUCERS, ...Array.from({ length: 100 }, () => failure('40P01')));
    await expect(pool.query('SELECT')).rejects.toThrow('failure 40P01');
    expect(asked()).toBe(9);
  });

  it('hands a refused query on as it is, without asking again', async () => {
    const { pool, asked, broken } = setUp(CONSUMERS, failure('42P01'));
    await expect(pool.query('SELECT')).rejects.toThrow('failure 42P01');
    expect(asked()).toBe(1);
    expect(broken).toEqual([]);
  });

  it('never repeats by itself what a lost connection may have done already, and says it in the words of BullMQ', async () => {
    const { pool, asked, broken } = setUp(CONSUMERS, failure('57P01'));
    await expect(pool.query('SELECT')).rejects.toThrow('Connection is closed.');
    expect(asked()).toBe(1);
    expect(broken).toHaveLength(1);
  });

  it('lets producers fail at once and consumers wait while the server is away', async () => {
    const producers = setUp(PRODUCERS);
    producers.reachability.lost('gone');
    await expect(producers.pool.query('SELECT')).rejects.toThrow('Connection is closed.');
    expect(producers.asked()).toBe(0);

    const consumers = setUp(CONSUMERS);
    consumers.reachability.lost('gone');
    const waiting = consumers.pool.query('SELECT');
    expect(consumers.asked()).toBe(0);
    consumers.reachability.back();
    expect((await waiting).rows).toEqual([{ ok: true }]);
  });

  it('stops waiting when the backend closes', async () => {
    const { pool, reachability, stop } = setUp(CONSUMERS);
    reachability.lost('gone');
    const waiting = pool.query('SELECT');
    stop.abort();
    await expect(waiting).rejects.toThrow('Connection is closed.');
  });
});
