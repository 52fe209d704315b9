/**
 * Modules that misuse their storage and their cache: as real modules in a real cell, and as a guest that speaks to the
 * bridge by itself. What a neighbour keeps is never seen, never changed, and never refused because of them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCacheCapability } from '../../runtime/capabilities/cache.ts';
import { type Capability, createCapabilityTable } from '../../runtime/capabilities/capability.ts';
import { createMemoryCache } from '../../runtime/capabilities/memory-cache.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { createStorage, type Storage } from '../../runtime/capabilities/storage.ts';
import { type HostState, openState } from '../../runtime/state/state.ts';
import { createStorageEntries } from '../../runtime/state/storage-entries.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { HUNT } from '../support/hunt.ts';
import { scriptGuest } from '../support/scripted-guest.ts';
import { removeFolder, sharedFolder } from '../support/shared-folder.ts';

const KEPT = `async onkeep() { await this.storage.set('mine', { kept: 1 }); await this.cache.set('mine', 1, { ttl: 3600 }); return {}; }
  async onlook() { return [await this.storage.get('mine'), (await this.storage.list()).keys, await this.cache.get('mine')]; }`;

let room: CellRoom;
let state: HostState;
let storage: Storage;
let capabilities: Readonly<Record<string, Capability>>;
let neighbour: Guest;
const folder = sharedFolder();

beforeAll(async () => {
  state = await openState(folder, { warn: () => {}, error: () => {} });
  const gate = createPermissionGate({ granted: () => [] });
  const settings = { mayKeep: () => true, largeBytes: 0, onFailure: () => {} };
  storage = createStorage(createStorageEntries(state), gate, settings);
  const cache = createMemoryCache({ moduleBytes: 100_000, totalBytes: 1_000_000 });
  capabilities = { storage: storage.capability, cache: createCacheCapability(cache, () => true) };
  room = await openCellRoom();
  neighbour = await room.boot(KEPT, { name: 'neighbour', capabilities });
  await neighbour.json('keep');
});
afterAll(async () => {
  await room?.close();
  await storage?.close();
  await state?.close();
  removeFolder(folder);
});

async function hostile(body: string, look: (guest: Guest) => Promise<void>): Promise<void> {
  const guest = await room.boot(body, { name: 'hostile', before: HUNT, capabilities });
  try {
    await look(guest);
    expect(guest.failures).toEqual([]);
    expect(await neighbour.json('look')).toEqual([{ kept: 1 }, ['mine'], 1]);
  } finally {
    guest.instance.terminate('terminated', 'the test is over');
    await guest.exit;
    await state.run([
      { sql: "DELETE FROM storage_entries WHERE module = 'hostile'" },
      { sql: "DELETE FROM storage_usage WHERE module = 'hostile'" },
    ]);
  }
}

describe('a hostile module with a storage', () => {
  it('that has the host read a megabyte thousands of times is refused before the host has read them', async () => {
    await hostile(
      `async onkeep() { await this.storage.set('large', 'x'.repeat(1_000_000)); return {}; }
       async onflood() {
        const codes = {};
        const count = (code) => { codes[code] = (codes[code] ?? 0) + 1; };
        await Promise.all(Array.from({ length: 2_000 }, () => this.storage.get('large').then(() => count('ok'), ({ code }) => count(code))));
        return codes;
      }`,
      async (guest) => {
        await guest.json('keep');
        const codes = await guest.json<Record<string, number>>('flood');
        expect(Object.keys(codes).sort()).toEqual(['QUOTA_EXCEEDED', 'ok']);
        // A second's worth at once, and as much again for each further second that this takes a slow machine.
        expect(codes.ok).toBeGreaterThanOrEqual(16);
        expect(codes.ok).toBeLessThan(500);
      },
    );
  });

  it('that lists what has expired, over and over, has others wait for one short look at a time', async () => {
    await hostile(
      `async onkeep() {
        for (let turn = 0; turn < 30; turn++) {
          await Promise.all(Array.from({ length: 100 }, (_, n) => this.storage.set(String(turn * 100 + n).padStart(5, '0'), 1, { ttl: 0.001 })));
        }
        return {};
      }
      async onflood() {
        let pages = 0;
        const keys = [];
        for (let cursor; ; pages++) {
          const page = await this.storage.list({ limit: 1, cursor });
          keys.push(...page.keys);
          cursor = page.cursor;
          if (cursor === undefined) break;
        }
        const many = await Promise.allSettled(Array.from({ length: 100 }, () => this.storage.list({ limit: 1 })));
        return { pages, keys, ends: many.map(({ status }) => status).filter((status) => status !== 'fulfilled') };
      }`,
      async (guest) => {
        await guest.json('keep');
        const looked = await guest.json('flood');
        // Three thousand dead entries, a thousand at a time.
        expect(looked).toEqual({ pages: 3, keys: [], ends: [] });
      },
    );
  });

  it('sees no object of another realm in what it is given, and in what it is refused', async () => {
    await hostile(
      `async onrun() {
        const refused = (run) => Promise.resolve().then(run).catch((error) => error);
        const pending = this.storage.get('k');
        return hunt({ storage: this.storage, cache: this.cache, pending, set: await this.storage.set('k', { a: [1] }),
          value: await this.storage.get('k'), list: await this.storage.list(), swapped: await this.storage.compareAndSet('k', 1, 2),
          cached: await this.cache.getOrSet('k', () => ({ b: 1 })), again: await this.cache.get('k'),
          badKey: await refused(() => this.storage.get(Symbol('x'))), badValue: await refused(() => this.storage.set('k', 1n)),
          full: await refused(() => this.storage.set('k', 'x'.repeat(1048000).padEnd(1048570, 'y'))),
          badTtl: await refused(() => this.cache.set('k', 1, { ttl: -1 })) });
      }`,
      async (guest) => expect(await guest.json('run')).toEqual([]),
    );
  });

  it('finds nothing of its neighbours under any key', async () => {
    await hostile(
      `async onrun() {
        const keys = ['mine', 'neighbour:mine', 'neighbour\\u0001mine', '../neighbour/mine', "' OR 1=1 --", '%', '*', '__proto__', 'constructor'];
        const found = [];
        for (const key of keys) {
          for (const store of [this.storage, this.cache]) {
            const value = await store.get(key);
            if (value !== undefined) found.push([key, value]);
            await store.delete(key);
          }
          await this.storage.compareAndSet(key, undefined, 'stolen');
        }
        return [found, (await this.storage.list()).keys.length];
      }`,
      async (guest) => expect(await guest.json('run')).toEqual([[], 9]),
    );
  });

  it('gets plain values from hostile keys, and pollutes nobody', async () => {
    await hostile(
      `async onrun() {
        await this.storage.set('__proto__', JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
        const value = await this.storage.get('__proto__');
        return [Object.keys(value), ({}).polluted ?? null, Object.getPrototypeOf(value) === Object.prototype];
      }`,
      async (guest) => {
        expect(await guest.json('run')).toEqual([['__proto__', 'constructor'], null, true]);
        expect({}).not.toHaveProperty('polluted');
      },
    );
  });

  it('keeps what it is given although every native that the client may need was replaced', async () => {
    await hostile(
      `async onrun() {
        JSON.stringify = () => 'forged'; JSON.parse = () => { throw new Error('parse'); };
        Promise.prototype.finally = function () { return this; };
        await this.storage.set('k', { honest: [1] });
        const value = await this.storage.get('k');
        return new Response(String(value.honest[0]));
      }`,
      async (guest) => {
        const { body } = await guest.call('run');
        const text =
          body.kind === 'text' ? body.text : body.kind === 'none' ? '' : await new Response(body.stream).text();
        expect(text).toBe('1');
      },
    );
  });

  it('fills its own storage only: the rest is refused, and it can make room again', async () => {
    await hostile(
      `async onrun() {
        const codes = {};
        const fill = (n) => this.storage.set('k' + n, 'x'.repeat(30_000)).then(() => 'kept', (error) => error.code);
        for (let turn = 0; turn < 10; turn++) {
          for (const code of await Promise.all(Array.from({ length: 20 }, (_, n) => fill(turn * 20 + n)))) codes[code] = (codes[code] ?? 0) + 1;
        }
        for (const key of (await this.storage.list()).keys) await this.storage.delete(key);
        await this.storage.set('room', 1);
        return codes;
      }`,
      async (guest) => {
        expect(await guest.json('run')).toEqual({ kept: 34, QUOTA_EXCEEDED: 166 });
        expect(await state.query("SELECT used_bytes FROM storage_usage WHERE module = 'hostile'")).toEqual([
          { used_bytes: 64 + 4 + 1 },
        ]);
      },
    );
  });

  it('floods it with calls that nobody awaits: refused by its quota of calls, and its next call works', async () => {
    await hostile(
      `async onrun() {
        const codes = new Set();
        const calls = Array.from({ length: 1_000 }, (_, n) => this.storage.set('k' + n % 7, n).catch((error) => codes.add(error.code)));
        await Promise.all(calls);
        return [[...codes], typeof await this.storage.get('k0')];
      }`,
      async (guest) => expect(await guest.json('run')).toEqual([['QUOTA_EXCEEDED'], 'number']),
    );
  });

  it('makes up a hundred thousand cached keys: the cache is bounded, a neighbour keeps its own', async () => {
    await hostile(
      `async onrun() {
        for (let turn = 0; turn < 40; turn++) {
          await Promise.all(Array.from({ length: 100 }, (_, n) => this.cache.set('k' + turn + ':' + n, 'x'.repeat(500))));
        }
        return await this.cache.get('k0:0') ?? 'gone';
      }`,
      async (guest) => expect(await guest.json('run')).toBe('gone'),
    );
  });
});

describe('a guest that speaks to the bridge by itself', () => {
  const value = (raw: unknown) => ({ type: 'RAW', value: raw });
  const BAD: readonly (readonly unknown[])[] = [
    [],
    [null],
    [['k']],
    [{ key: 'k' }],
    ['k\0'],
    ['\ud800'],
    ['x'.repeat(100_000)],
    ['k', 'k', 'k', 'k'],
    [{ key: { toString: 'k' }, value: '1', ttlMs: 1 }],
    [{ key: 'k', value: '1', ttlMs: 1e308 }],
    [{ key: 'k', expected: {}, value: '1' }],
    [{ prefix: { length: 0 }, limit: 1 }],
    [{ prefix: '', limit: 1e9 }],
    [Array(2_000).fill('k')],
    [Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key${n}`, n]))],
  ];

  it('gets INVALID_CALL for every method and every kind of argument that none takes', async () => {
    const guest = scriptGuest({ calls: tableOf('stranger') });
    let id = 0;
    for (const [capability, methods] of [
      ['storage', ['get', 'set', 'delete', 'list', 'compareAndSet']],
      ['cache', ['get', 'set', 'delete']],
    ] as const) {
      for (const method of methods) {
        for (const args of BAD) {
          const call = `call-${id++}`;
          guest.say({ id: call, type: 'APPLY', path: [capability, method], argumentList: args.map(value) });
          const answer = await guest.hear((message) => message.id === call);
          expect(answer.value, `${capability}.${method} ${JSON.stringify(args).slice(0, 80)}`).toMatchObject({
            ok: false,
            code: 'INVALID_CALL',
          });
        }
      }
    }
    expect([guest.violations, guest.floods]).toEqual([[], []]);
    expect(await state.query("SELECT name FROM storage_entries WHERE module = 'stranger'")).toEqual([]);
  });

  function tableOf(module: string) {
    const signal = new AbortController().signal;
    const session = (): never => {
      throw new Error('There is no session.');
    };
    const quota = { run: (call: () => Promise<unknown>) => call(), admitLine: () => true };
    return createCapabilityTable(capabilities, { module, session, signal }, quota as never, () => {}) as never;
  }
});
