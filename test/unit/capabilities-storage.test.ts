import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStorageRoom } from '../support/storage-room.ts';

const MB = 1024 * 1024;
const text = (length: number): string => `"${'x'.repeat(length - 2)}"`;

describe('the storage of a module', () => {
  it('gives what was set, as it was written, and nothing of another module', async () => {
    const { call } = await openStorageRoom();
    await call('a', 'set', { key: 'k', value: '{"__proto__":[1e2,"ä\\u0000"]}' });
    expect(await call('a', 'get', 'k')).toBe('{"__proto__":[1e2,"ä\\u0000"]}');
    expect(await call('b', 'get', 'k')).toBeNull();
    expect(await call('b', 'delete', 'k')).toBe(false);
    expect(await call('b', 'list', { prefix: '', limit: 10 })).toEqual({ keys: [], cursor: null });
    expect(await call('b', 'compareAndSet', { key: 'k', expected: null, value: '1' })).toBe(true);
    expect(await call('a', 'delete', 'k')).toBe(true);
    expect(await call('a', 'get', 'k')).toBeNull();
    expect(await call('b', 'get', 'k')).toBe('1');
  });

  it.each([
    'constructor',
    '__proto__',
    "'; DROP TABLE storage_entries; --",
    '%',
    '_',
    '\ud83d\ude00',
    ' ',
    '\n',
    'a:b/c',
  ])('takes %j for a key like any other', async (key) => {
    const { call } = await openStorageRoom();
    await call('a', 'set', { key, value: '1' });
    expect(await call('a', 'get', key)).toBe('1');
    expect(await call('a', 'list', { prefix: key, limit: 10 })).toEqual({ keys: [key], cursor: null });
  });

  it('forgets what has expired: for get, list, delete and compareAndSet at once, on the disk by a sweep', async () => {
    const room = await openStorageRoom();
    const { call, entries } = room;
    for (const key of ['x', 'y', 'z']) await call('a', 'set', { key, value: '1', ttlMs: 1_000 });
    await call('a', 'set', { key: 'stays', value: '1' });
    room.passed = 999;
    expect(await call('a', 'get', 'x')).toBe('1');
    room.passed = 2_000;
    expect(await call('a', 'get', 'x')).toBeNull();
    expect(await call('a', 'list', { prefix: '', limit: 10 })).toEqual({ keys: ['stays'], cursor: null });
    expect(await call('a', 'delete', 'x')).toBe(false);
    expect(await call('a', 'compareAndSet', { key: 'y', expected: '1', value: '2' })).toBe(false);
    expect(await call('a', 'compareAndSet', { key: 'y', expected: null, value: '2' })).toBe(true);
    expect(await entries.sweep()).toBe(1);
    expect(await entries.sweep()).toBe(0);
    expect(await room.usedBytes('a')).toBe(64 + 6 + 64 + 2);
    // Set again without a ttl, it stays.
    await call('a', 'set', { key: 'x', value: '1', ttlMs: 1 });
    await call('a', 'set', { key: 'x', value: '1' });
    room.passed = 10_000_000;
    expect(await call('a', 'get', 'x')).toBe('1');
  });

  it('sweeps many of many modules, and their bytes with them', async () => {
    const room = await openStorageRoom();
    const sets = Array.from({ length: 1_200 }, (_, index) =>
      room.entries.set(`m${index % 3}`, { key: `k${index}`, value: '1', expiresAt: 1 + (index % 7) }, MB),
    );
    await Promise.all(sets);
    await room.call('m0', 'set', { key: 'stays', value: '1' });
    expect([await room.entries.sweep(), await room.entries.sweep(), await room.entries.sweep()]).toEqual([
      500, 500, 200,
    ]);
    expect(await Promise.all(['m0', 'm1', 'm2'].map(room.usedBytes))).toEqual([64 + 6, 0, 0]);
  });

  it('lists keys by code points, page by page', async () => {
    const { call } = await openStorageRoom();
    const keys = [
      'a',
      'a\u{10ffff}',
      'a\u{10ffff}b',
      'ab',
      'b',
      '\ud7ff',
      '\ue000',
      '\u{10ffff}',
      '\u{10ffff}\u{10ffff}',
    ];
    for (const key of keys) await call('a', 'set', { key, value: '1' });
    const list = (prefix: string) => call<{ keys: string[] }>('a', 'list', { prefix, limit: 100 });
    expect((await list('a')).keys).toEqual(['a', 'ab', 'a\u{10ffff}', 'a\u{10ffff}b']);
    expect((await list('a\u{10ffff}')).keys).toEqual(['a\u{10ffff}', 'a\u{10ffff}b']);
    expect((await list('\u{10ffff}')).keys).toEqual(['\u{10ffff}', '\u{10ffff}\u{10ffff}']);
    expect((await list('\ud7ff')).keys).toEqual(['\ud7ff']);
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { keys: string[]; cursor: string | null } = await call('a', 'list', {
        prefix: '',
        limit: 2,
        ...(cursor === null ? {} : { cursor }),
      });
      found.push(...page.keys);
      cursor = page.cursor;
    } while (cursor !== null);
    expect(found).toEqual(keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
  });

  it('lets one of many who compare and set at once through', async () => {
    const { call } = await openStorageRoom();
    const attempts = Array.from({ length: 50 }, (_, n) =>
      call<boolean>('a', 'compareAndSet', { key: 'k', expected: null, value: String(n) }),
    );
    expect((await Promise.all(attempts)).filter(Boolean).length).toBe(1);
    const now = await call<string>('a', 'get', 'k');
    const further = Array.from({ length: 50 }, () =>
      call<boolean>('a', 'compareAndSet', { key: 'k', expected: now, value: '"new"' }),
    );
    expect((await Promise.all(further)).filter(Boolean).length).toBe(1);
  });

  it('answers nothing to a module that is only asked what it declares', async () => {
    const { call } = await openStorageRoom();
    await expect(call('unknown', 'get', 'k')).rejects.toMatchObject({ code: 'MODULE_UNAVAILABLE' });
    await expect(call('unknown', 'set', { key: 'k', value: '1' })).rejects.toMatchObject({
      code: 'MODULE_UNAVAILABLE',
    });
  });
});

describe('the quota of a storage', () => {
  it('is 1 MB, keys and bookkeeping included, and no neighbour pays for it', async () => {
    const room = await openStorageRoom();
    const { call } = room;
    await call('a', 'set', { key: 'k', value: text(MB - 64 - 1) });
    expect(await room.usedBytes('a')).toBe(MB);
    const full = {
      code: 'QUOTA_EXCEEDED',
      message: "storage: this does not fit into the module's 1 MB. The permission storage:large allows more.",
    };
    await expect(call('a', 'set', { key: 'l', value: '1' })).rejects.toMatchObject(full);
    await expect(call('a', 'set', { key: 'k', value: text(MB - 64) })).rejects.toMatchObject(full);
    await expect(call('a', 'compareAndSet', { key: 'l', expected: null, value: '1' })).rejects.toMatchObject(full);
    await call('b', 'set', { key: 'l', value: '1' });
    await call('a', 'set', { key: 'k', value: '1' });
    await call('a', 'set', { key: 'l', value: '1' });
    expect(await room.usedBytes('a')).toBe(2 * (64 + 1 + 1));
  });

  it('counts bytes, not characters', async () => {
    const room = await openStorageRoom();
    await room.call('a', 'set', { key: 'ä', value: '"€"' });
    expect(await room.usedBytes('a')).toBe(64 + 2 + 5);
    await expect(room.call('a', 'set', { key: 'k', value: `"${'€'.repeat(MB / 2)}"` })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
  });

  it('is larger with storage:large, which counts as used once it is needed', async () => {
    const { call, used } = await openStorageRoom({ large: ['a'] });
    await call('a', 'set', { key: 'k', value: text(MB / 2) });
    expect(used).toEqual([]);
    for (const key of ['l', 'm']) await call('a', 'set', { key, value: text(MB / 2) });
    expect(used).toEqual(['a', 'a']);
    await expect(call('a', 'set', { key: 'n', value: text(MB - 100) })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: "storage: this does not fit into the module's 2 MB.",
    });
  });

  it('has room for what is new where old entries have expired, swept or not', async () => {
    const room = await openStorageRoom();
    await room.call('a', 'set', { key: 'old', value: text(MB - 100), ttlMs: 1_000 });
    await expect(room.call('a', 'set', { key: 'new', value: text(1_000) })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    room.passed = 2_000;
    await room.call('a', 'set', { key: 'new', value: text(1_000) });
    expect(await room.usedBytes('a')).toBe(64 + 3 + 1_000);
  });

  it('holds at once for writes that overtake each other', async () => {
    const room = await openStorageRoom();
    const sets = Array.from({ length: 100 }, (_, n) => room.call('a', 'set', { key: `k${n}`, value: text(20_000) }));
    const outcomes = await Promise.allSettled(sets);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(Math.floor(MB / (20_000 + 64 + 3)));
    expect(await room.usedBytes('a')).toBeLessThanOrEqual(MB);
  });

  it('bounds what waits for the disk, for each module', async () => {
    const { call } = await openStorageRoom({ large: ['a', 'b'], largeMb: 100 });
    const flood = Array.from({ length: 40 }, (_, n) => call('a', 'set', { key: `k${n}`, value: text(MB) }));
    const neighbour = call('b', 'set', { key: 'k', value: text(MB) });
    const outcomes = await Promise.allSettled(flood);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBe(33);
    expect(refused[0]?.reason).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: 'storage: more than 8 MB wait to be written.',
    });
    await neighbour;
    await call('a', 'set', { key: 'later', value: '1' });
  });
});

describe('what the host takes for the storage', () => {
  const keys: unknown[] = [
    undefined,
    null,
    5,
    {},
    [],
    ['k'],
    { toString: 'k' },
    '',
    'x'.repeat(513),
    'a\0',
    '\ud800',
    'a\udc00',
  ];
  it.each(keys)('has no key %j', async (key) => {
    const { call } = await openStorageRoom();
    const wrong = { code: 'INVALID_CALL', message: expect.stringMatching(/^storage\.\w+ takes /) };
    await expect(call('a', 'get', key)).rejects.toMatchObject(wrong);
    await expect(call('a', 'delete', key)).rejects.toMatchObject(wrong);
    await expect(call('a', 'set', { key, value: '1' })).rejects.toMatchObject(wrong);
    await expect(call('a', 'compareAndSet', { key, expected: null, value: '1' })).rejects.toMatchObject(wrong);
  });

  it.each([
    ['get', []],
    ['get', ['k', 'more']],
    ['set', ['k', '1']],
    ['set', [{ key: 'k' }]],
    ['set', [{ key: 'k', value: 1 }]],
    ['set', [{ key: 'k', value: '' }]],
    ['set', [{ key: 'k', value: '"\0"' }]],
    ['set', [{ key: 'k', value: '"\ud800"' }]],
    ['set', [{ key: 'k', value: text(MB + 1) }]],
    ['set', [{ key: 'k', value: '1', module: 'b' }]],
    ['set', [JSON.parse('{"key":"k","value":"1","__proto__":{}}')]],
    ['set', [{ key: 'k', value: '1', ttlMs: 0 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: -1 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: 1.5 }]],
    ['set', [{ key: 'k', value: '1', ttlMs: '5' }]],
    ['set', [{ key: 'k', value: '1', ttlMs: Number.MAX_SAFE_INTEGER }]],
    ['list', [{ prefix: '' }]],
    ['list', [{ prefix: '', limit: 0 }]],
    ['list', [{ prefix: '', limit: 1_001 }]],
    ['list', [{ prefix: null, limit: 1 }]],
    ['list', [{ prefix: 'x'.repeat(513), limit: 1 }]],
    ['list', [{ prefix: '\ud800', limit: 1 }]],
    ['list', [{ prefix: '', limit: 1, cursor: '' }]],
    ['list', [{ prefix: '', limit: 1, cursor: '\0' }]],
    ['compareAndSet', [{ key: 'k', value: '1' }]],
    ['compareAndSet', [{ key: 'k', expected: 1, value: '1' }]],
    ['compareAndSet', [{ key: 'k', expected: '\ud800', value: '1' }]],
    ['compareAndSet', [{ key: 'k', expected: text(MB / 2), value: text(MB / 2 + 1) }]],
  ] as const)('is not %s(%j), and what it takes is said', async (method, args) => {
    const { call, state } = await openStorageRoom();
    await expect(call('a', method, ...args)).rejects.toMatchObject({
      code: 'INVALID_CALL',
      message: expect.stringMatching(new RegExp(`^storage\\.${method} takes `)),
    });
    expect(await state.query('SELECT name FROM storage_entries')).toEqual([]);
  });
});

describe('a storage under any sequence of calls', () => {
  it('is a map: every answer and the count of bytes follow from the calls before', { timeout: 60_000 }, async () => {
    const room = await openStorageRoom();
    const key = fc.constantFrom('a', 'ab', 'b', '\u{1f600}', 'a\u{10ffff}');
    const value = fc.json({ maxDepth: 2 }).map((json) => JSON.stringify(JSON.parse(json)));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key, value }),
      fc.record({ kind: fc.constant('delete' as const), key }),
      fc.record({ kind: fc.constant('get' as const), key }),
      fc.record({ kind: fc.constant('list' as const), prefix: fc.constantFrom('', 'a', 'a\u{10ffff}', 'b', 'c') }),
      fc.record({ kind: fc.constant('swap' as const), key, guess: fc.option(value), isRight: fc.boolean(), value }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const module = `m${run++}`;
        const model = new Map<string, string>();
        for (const one of steps) {
          if (one.kind === 'set') {
            await room.call(module, 'set', { key: one.key, value: one.value });
            model.set(one.key, one.value);
          } else if (one.kind === 'delete') {
            expect(await room.call(module, 'delete', one.key)).toBe(model.delete(one.key));
          } else if (one.kind === 'get') {
            expect(await room.call(module, 'get', one.key)).toBe(model.get(one.key) ?? null);
          } else if (one.kind === 'list') {
            const { keys } = await room.call<{ keys: string[] }>(module, 'list', { prefix: one.prefix, limit: 1_000 });
            const expected = [...model.keys()].filter((known) => known.startsWith(one.prefix));
            expect(keys.toSorted()).toEqual(expected.toSorted());
          } else {
            const present = model.get(one.key) ?? null;
            const expected = one.isRight ? present : one.guess;
            const done = await room.call(module, 'compareAndSet', { key: one.key, expected, value: one.value });
            expect(done).toBe(expected === present);
            if (done === true) model.set(one.key, one.value);
          }
        }
        let bytes = 0;
        for (const [name, text] of model) bytes += 64 + Buffer.byteLength(name) + Buffer.byteLength(text);
        expect(await room.usedBytes(module)).toBe(bytes);
      }),
      { numRuns: 60 },
    );
  });
});
