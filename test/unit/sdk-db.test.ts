/** The author's side of the database: what may be passed, what comes back, what travels together. */

import { PermissionDeniedError } from '@plexichat/sdk/module/errors';
import type { HostBinding } from '@plexichat/sdk/module/host-binding';
import type { SqlAnswer, SqlStatement } from '@plexichat/sdk/protocol/capabilities/db';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { describe, expect, it, test } from 'vitest';
import { createDbClient } from '../../sdk/capabilities/db.ts';

type Answer = (statement: SqlStatement) => SqlAnswer;

const EMPTY: Answer = () => ({ result: '[[],"",[],0,null]' });

function clientOf(answer: Answer = EMPTY) {
  const calls: (readonly [string, ...unknown[]])[] = [];
  const host = {
    call: async (_capability: string, method: string, args: readonly unknown[]) => {
      calls.push([method, ...args]);
      if (method === 'begin') return 'the-id';
      const statements = args.find(Array.isArray) as SqlStatement[] | undefined;
      return statements?.map(answer);
    },
  } as unknown as HostBinding;
  return { db: createDbClient(host), calls };
}

describe('parameters', () => {
  it('become what SQLite knows', async () => {
    const { db, calls } = clientOf();
    await db.query('SELECT ?', [
      ...[null, true, false, 1.5, 'text', 2n ** 62n],
      ...[new Date(0), Uint8Array.of(1, 2), { a: [1] }, [1, 2], { toJSON: () => 7 }],
    ]);
    expect(calls[0]?.[1]).toEqual([
      {
        sql: 'SELECT ?',
        params: [
          ...[null, 1, 0, 1.5, 'text', { i: '4611686018427387904' }],
          ...['1970-01-01T00:00:00.000Z', { b: 'AQI=' }, '{"a":[1]}', '[1,2]', '7'],
        ],
      },
    ]);
  });

  const circle: Record<string, unknown> = {};
  circle.self = circle;
  it.each([
    ['undefined', [undefined], 'db.query: parameter 1 is undefined; allowed are'],
    ['a hole', Array(1), 'db.query: parameter 1 is undefined'],
    ['NaN', [1, Number.NaN], 'db.query: parameter 2 is NaN; allowed are finite numbers'],
    ['a function', [() => 1], 'db.query: parameter 1 is'],
    ['a number beyond 64 bits', [2n ** 63n], 'beyond 64 bits'],
    ['an invalid date', [new Date('x')], 'parameter 1 is an invalid date'],
    ['a value that contains itself', [circle], 'parameter 1 is not JSON: a value that contains itself'],
    ['half a character', ['\ud800'], 'half a character'],
    ['a long text', ['x'.repeat(1_000_001)], 'has 1000001 characters, at most 1000000'],
    ['many bytes', [new Uint8Array(1_000_001)], 'has 1000001 bytes, at most 1000000'],
    ['too many', Array(1_001).fill(1), '1001 parameters, at most 1000'],
    ['no list', { a: 1 }, 'the parameters must be a list, one for each "?"'],
  ])('that cannot be sent are refused at once: %s', async (_what, params, problem) => {
    const { db, calls } = clientOf();
    await expect(db.query('SELECT ?', params as never)).rejects.toThrow(problem);
    expect(calls).toEqual([]);
  });

  it.each([undefined, '', '  ', 5])('come with SQL: %s', async (sql) => {
    await expect(clientOf().db.execute(sql as never)).rejects.toThrow('db.execute: the SQL must be a text');
  });
});

test('rows come back as objects, with the values of their columns’ types', async () => {
  const result =
    '[["id","done","data","bytes","big","__proto__"],"-bj---",[[1,1,"{\\"a\\":1}",{"b":"AQI="},{"i":"9"},"x"],[2,null,null,null,null,null]],0,null]';
  const { db } = clientOf(() => ({ result }));
  const [first, second] = await db.query('SELECT *');
  expect(first).toMatchObject({ id: 1, done: true, data: { a: 1 }, bytes: Uint8Array.of(1, 2), big: 9n });
  expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
  expect(Object.keys(first ?? {})).toContain('__proto__');
  expect(second).toMatchObject({ id: 2, done: null, data: null });
});

describe('statements of one turn', () => {
  it('travel in one call, and each gets its own answer', async () => {
    const { db, calls } = clientOf(({ sql }) =>
      sql === 'bad'
        ? { code: 'DATABASE_CONSTRAINT', message: 'UNIQUE' }
        : { result: `[["sql"],"-",[["${sql}"]],0,null]` },
    );
    const outcomes = await Promise.allSettled(['a', 'bad', 'b'].map((sql) => db.query(sql)));
    expect(calls).toHaveLength(1);
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: [{ sql: 'a' }] },
      { status: 'rejected', reason: expect.objectContaining({ code: 'DATABASE_CONSTRAINT', message: 'UNIQUE' }) },
      { status: 'fulfilled', value: [{ sql: 'b' }] },
    ]);
  });

  it('travel in several when they are many, or large', async () => {
    const { db, calls } = clientOf();
    await Promise.all(Array.from({ length: 130 }, () => db.query('SELECT 1')));
    expect(calls.map(([, statements]) => (statements as unknown[]).length)).toEqual([64, 64, 2]);
    await Promise.all(Array.from({ length: 3 }, () => db.query('SELECT ?', ['x'.repeat(600_000)])));
    expect(calls).toHaveLength(6);
  });

  it('are sent again, in order, when the answers before them were large', async () => {
    const seen: string[] = [];
    let large = 0;
    const { db } = clientOf(({ sql }) => {
      if (sql !== 'first' && large++ < 2) return { later: true };
      seen.push(sql);
      return { result: '[[],"",[],0,null]' };
    });
    await Promise.all(['first', 'second', 'third'].map((sql) => db.query(sql)));
    expect(seen).toEqual(['first', 'second', 'third']);
  });
});

describe('a transaction', () => {
  it('begins, runs inside, and commits', async () => {
    const { db, calls } = clientOf();
    expect(
      await db.transaction(async (tx) => {
        await tx.execute('INSERT');
        return 'done';
      }),
    ).toBe('done');
    expect(calls).toEqual([['begin'], ['inside', 'the-id', [{ sql: 'INSERT', params: [] }]], ['commit', 'the-id']]);
  });

  it('is rolled back when its function throws, which its caller sees', async () => {
    const { db, calls } = clientOf();
    await expect(db.transaction(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(calls.map(([method]) => method)).toEqual(['begin', 'rollback']);
  });

  it('takes nothing more when it is over', async () => {
    const { db } = clientOf();
    const tx = await db.transaction(async (inside) => inside);
    await expect(tx.query('SELECT 1')).rejects.toThrow('The transaction is over');
  });

  it('needs a function', async () => {
    await expect(clientOf().db.transaction(undefined as never)).rejects.toThrow('pass a function');
  });
});

test('what was not granted is a PermissionDeniedError', async () => {
  const host = {
    call: async () => Promise.reject(new PlexiError('PERMISSION_DENIED', 'needs the permission database')),
  };
  const db = createDbClient(host as unknown as HostBinding);
  await expect(db.query('SELECT 1')).rejects.toBeInstanceOf(PermissionDeniedError);
  await expect(db.transaction(async () => 1)).rejects.toBeInstanceOf(PermissionDeniedError);
});
