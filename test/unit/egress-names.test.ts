/** Names that modules ask for: a few at once, each once, and remembered for a short while. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalNames } from '../../runtime/capabilities/egress-hosts.ts';
import { type AskNameServers, lookupError } from '../../runtime/capabilities/egress-lookup.ts';
import {
  EgressNames,
  LOOKUPS_OF_A_MODULE,
  LOOKUPS_OF_THE_HOST,
  MAX_NAMES_ASKED,
} from '../../runtime/capabilities/egress-names.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ADDRESSES = [{ address: '1.1.1.1', family: 4 }];
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'found',
    (error: { code?: string }) => error.code,
  );

/** Name servers that answer when the test says so. */
function servers(ttlMs = 60_000) {
  const asked: string[] = [];
  const open = new Map<string, PromiseWithResolvers<{ addresses: typeof ADDRESSES; ttlMs: number }>>();
  const cancelled: string[] = [];
  const ask: AskNameServers = (host) => {
    asked.push(host);
    const waiting = Promise.withResolvers<{ addresses: typeof ADDRESSES; ttlMs: number }>();
    open.set(host, waiting);
    const cancel = () => {
      cancelled.push(host);
      waiting.reject(lookupError('EAI_AGAIN', host));
    };
    return { answer: waiting.promise, cancel };
  };
  return {
    asked,
    cancelled,
    names: new EgressNames({ ask, local: async () => undefined }),
    answer: (host: string) => open.get(host)?.resolve({ addresses: ADDRESSES, ttlMs }),
    fail: (host: string, code: 'ENOTFOUND' | 'EAI_AGAIN') => open.get(host)?.reject(lookupError(code, host)),
  };
}

/** All that can happen without an answer or time has happened. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  // To the cache's library, what was kept at 0 is kept for ever.
  vi.advanceTimersByTime(1);
});
afterEach(() => void vi.useRealTimers());

describe('a module', () => {
  it('asks for two names at once, and for the next when one is answered', async () => {
    const { asked, names, answer } = servers();
    const { resolve } = names.open();
    const found = ['a', 'b', 'c'].map((host) => resolve(host));
    await settle();
    expect(asked).toHaveLength(LOOKUPS_OF_A_MODULE);
    answer('b');
    await settle();
    expect(asked).toEqual(['a', 'b', 'c']);
    for (const host of ['a', 'c']) answer(host);
    expect(await Promise.all(found)).toEqual([ADDRESSES, ADDRESSES, ADDRESSES]);
  });

  it('asks once for equal names', async () => {
    const { asked, names, answer } = servers();
    const { resolve } = names.open();
    const found = Array.from({ length: 100 }, () => resolve('a'));
    await settle();
    answer('a');
    await Promise.all(found);
    expect(asked).toEqual(['a']);
  });

  it('has a bound on the names that wait, and waits for none of them for ever', async () => {
    const { asked, names } = servers();
    const { resolve } = names.open();
    const waiting = Array.from({ length: MAX_NAMES_ASKED }, (_, index) => codeOf(resolve(`a${index}`)));
    await settle();
    expect(await codeOf(resolve('one-more'))).toBe('EAI_AGAIN');
    expect(asked).toHaveLength(LOOKUPS_OF_A_MODULE);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await Promise.all(waiting.slice(LOOKUPS_OF_A_MODULE))).toEqual(
      Array.from({ length: MAX_NAMES_ASKED - LOOKUPS_OF_A_MODULE }, () => 'EAI_AGAIN'),
    );
    expect(asked).toHaveLength(LOOKUPS_OF_A_MODULE);
  });

  it('whose names are all silent holds up no other one', async () => {
    const { asked, names, answer } = servers();
    const silent = names.open();
    for (let index = 0; index < 20; index++) void codeOf(silent.resolve(`silent${index}`));
    await settle();
    const found = names.open().resolve('good');
    await settle();
    answer('good');
    expect(await found).toEqual(ADDRESSES);
    expect(asked).toEqual(['silent0', 'silent1', 'good']);
  });

  it('that ends calls off what it asked', async () => {
    const { asked, cancelled, names } = servers();
    const module = names.open();
    const codes = Promise.all(['a', 'b', 'c'].map((host) => codeOf(module.resolve(host))));
    await settle();
    module.close();
    expect(await codes).toEqual(['EAI_AGAIN', 'EAI_AGAIN', 'EAI_AGAIN']);
    expect([asked, cancelled]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});

it('the host asks for so many at once, and those who wait have their turn', async () => {
  const { asked, names, answer } = servers();
  for (let index = 0; index < LOOKUPS_OF_THE_HOST; index++) {
    const { resolve } = names.open();
    for (const host of ['x', 'y', 'z']) void codeOf(resolve(`${host}${index}`));
  }
  const good = names.open().resolve('good');
  await settle();
  expect(asked).toHaveLength(LOOKUPS_OF_THE_HOST);
  let answered = 0;
  while (!asked.includes('good')) {
    answer(asked[answered++] ?? '');
    await settle();
  }
  answer('good');
  expect(await good).toEqual(ADDRESSES);
});

describe('an answer', () => {
  it('is believed for five seconds, however long its owner wants', async () => {
    const { asked, names, answer } = servers(86_400_000);
    const { resolve } = names.open();
    const first = resolve('a');
    await settle();
    answer('a');
    await first;
    await vi.advanceTimersByTimeAsync(4_900);
    expect(await resolve('a')).toEqual(ADDRESSES);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    const again = resolve('a');
    await settle();
    expect(asked).toHaveLength(2);
    answer('a');
    await again;
  });

  it.each([
    ['that wants not to be kept', 0, undefined, 2],
    ['that there is no such name', 60_000, 'ENOTFOUND', 1],
    ['that is none', 60_000, 'EAI_AGAIN', 2],
  ] as const)('%s', async (_name, ttlMs, code, times) => {
    const { asked, names, answer, fail } = servers(ttlMs);
    const { resolve } = names.open();
    for (let time = 0; time < 2; time++) {
      const found = codeOf(resolve('a'));
      await settle();
      if (code === undefined) answer('a');
      else fail('a', code);
      expect(await found).toBe(code ?? 'found');
    }
    expect(asked).toHaveLength(times);
    // Nobody is told for long that a name is not there.
    await vi.advanceTimersByTimeAsync(2_100);
    void codeOf(resolve('a'));
    await settle();
    expect(asked).toHaveLength(times + 1);
  });

  it('of one module is not the other one’s', async () => {
    const { asked, names, answer } = servers();
    for (const module of [names.open(), names.open()]) {
      const found = module.resolve('a');
      await settle();
      answer('a');
      await found;
    }
    expect(asked).toEqual(['a', 'a']);
  });
});

describe('names of the machine itself', () => {
  const hosts = (text: string): string => {
    const path = join(tempFolder(), 'hosts');
    writeFileSync(path, text);
    return path;
  };

  it('are those of the hosts file, with all their addresses, IPv4 first', async () => {
    vi.useRealTimers();
    const local = createLocalNames(
      hosts('# a comment\n::1 twin\n10.0.0.7\tDB db.internal # mine\r\n10.0.0.8 db\n127.0.0.1 twin\nnonsense bad\n\n'),
    );
    expect(await local('db')).toEqual([
      { address: '10.0.0.7', family: 4 },
      { address: '10.0.0.8', family: 4 },
    ]);
    expect(await local('db.internal')).toEqual([{ address: '10.0.0.7', family: 4 }]);
    expect(await local('twin')).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
    for (const other of ['bad', 'mine', 'internal', '10.0.0.7', '__proto__', ''])
      expect(await local(other)).toBeUndefined();
  });

  it('are localhost too, which no name server is asked for', async () => {
    vi.useRealTimers();
    const loopback = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    for (const path of [hosts(''), '/nonexistent/hosts']) {
      const local = createLocalNames(path);
      expect(await local('localhost')).toEqual(loopback);
      expect(await local('api.localhost')).toEqual(loopback);
      expect(await local('notlocalhost')).toBeUndefined();
    }
    const named = createLocalNames(hosts('127.0.0.1 localhost\n'));
    expect(await named('localhost')).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });

  it('are read again when the file changes, at the latest after five seconds', async () => {
    let now = 0;
    vi.useRealTimers();
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const path = hosts('10.0.0.7 db\n');
    const local = createLocalNames(path);
    expect(await local('db')).toEqual([{ address: '10.0.0.7', family: 4 }]);
    writeFileSync(path, '10.0.0.99 db\n');
    expect(await local('db')).toEqual([{ address: '10.0.0.7', family: 4 }]);
    now = 5_001;
    expect(await local('db')).toEqual([{ address: '10.0.0.99', family: 4 }]);
    vi.restoreAllMocks();
  });
});
