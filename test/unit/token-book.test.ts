import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../runtime/policy/authenticate.ts';
import { knowCaller } from '../../runtime/policy/caller.ts';
import { signToken } from '../../runtime/policy/sign-token.ts';
import { openTokenBook, type TokenBook, type TokenBookOptions } from '../../runtime/policy/token-book.ts';
import { type NewToken, newTokenId } from '../../runtime/policy/token-rules.ts';
import { SECRET } from '../support/fake-modules.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';

const HOUR_S = 3600;
const DAY_MS = 24 * HOUR_S * 1000;
const OLGA = knowCaller({ id: 'olga', tier: 'premium', permissions: ['modules:manage', 'read', 'write'] }, 'tok_olga');

let state: MemoryState;
let now: number;
let books: TokenBook[];
let warnings: string[];
let failures: unknown[];
beforeEach(() => {
  [state, now, books, warnings, failures] = [openMemoryState(), 1_800_000_000_000, [], [], []];
});
afterEach(async () => {
  await Promise.all(books.map((book) => book.close()));
});

async function openBook(options: Partial<TokenBookOptions> = {}): Promise<TokenBook> {
  const book = await openTokenBook({
    state,
    sign: (claims) => signToken(SECRET, claims, now),
    onWarning: (message) => void warnings.push(message),
    onFailure: (error) => void failures.push(error),
    now: () => now,
    ...options,
  });
  books.push(book);
  return book;
}

function asked({ kind = 'token', ...more }: Partial<NewToken> = {}): NewToken {
  return {
    id: newTokenId(kind),
    kind,
    name: 'reports',
    sub: 'robot',
    tier: 'basic',
    permissions: ['read'],
    lifetime: HOUR_S,
    ...more,
  };
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const doorOf = (book: TokenBook) =>
  createAuthenticate(
    { secret: SECRET, findKey: (digest) => book.findKey(digest), isRevoked: (id) => book.isWithdrawn(id) },
    () => now,
  );

describe('a token', () => {
  it('says what was asked for, and has an id', async () => {
    const book = await openBook();
    const { record, credential } = await book.create(asked(), OLGA);
    expect(decodeJwt(credential)).toMatchObject({ sub: 'robot', tier: 'basic', permissions: ['read'], jti: record.id });
    expect(decodeJwt(credential).exp).toBe(record.expiresAt / 1000);
    expect(record).toMatchObject({ madeBy: 'olga', madeWith: 'tok_olga', sha256: undefined, prefix: undefined });
    expect(await doorOf(book)(`Bearer ${credential}`, undefined)).toMatchObject({ credentialId: record.id });
  });

  it('is for whoever makes it, when nobody is named', async () => {
    const book = await openBook();
    const { record } = await book.create(asked({ sub: undefined }), OLGA);
    expect(record.sub).toBe('olga');
  });

  it('that was revoked is refused at once, also while it is remembered and before the disk answers', async () => {
    const book = await openBook();
    const authenticate = doorOf(book);
    const { record, credential } = await book.create(asked(), OLGA);
    await authenticate(`Bearer ${credential}`, undefined);
    state.isAway = true;
    const revoked = book.revoke(record.id, 'olga');
    expect(() => authenticate(`Bearer ${credential}`, undefined)).toThrow('withdrawn');
    await expect(revoked).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(book.isWithdrawn(record.id)).toBe(true);
  });

  it('whose revocation could not be written is written down when the state is back', async () => {
    const book = await openBook();
    const { record } = await book.create(asked(), OLGA);
    state.isAway = true;
    await book.revoke(record.id, 'olga').catch(() => {});
    state.isAway = false;
    await book.tidy();
    expect((await openBook()).isWithdrawn(record.id)).toBe(true);
  });

  it('stays revoked over a restart, for as long as it would have been good', async () => {
    const first = await openBook();
    const { record } = await first.create(asked({ lifetime: 30 * 24 * HOUR_S }), OLGA);
    await first.revoke(record.id, 'olga');
    now += 29 * DAY_MS;
    await first.tidy();
    const second = await openBook();
    expect(second.isWithdrawn(record.id)).toBe(true);
    expect(second.list({ before: undefined, limit: 10 }).tokens).toMatchObject([{ revokedBy: 'olga' }]);
    now += 3 * DAY_MS;
    await second.tidy();
    expect(state.dump()).not.toContain(record.id);
  });

  it('that ended long ago goes from the disk as well, whoever noticed it', async () => {
    const book = await openBook();
    const { record } = await book.create(asked(), OLGA);
    now += 2 * DAY_MS;
    await book.create(asked(), OLGA);
    state.isAway = true;
    await book.tidy().catch(() => {});
    state.isAway = false;
    await book.tidy();
    expect(state.dump()).not.toContain(record.id);
  });

  it('can be revoked twice, and says who did it first', async () => {
    const book = await openBook();
    const { record } = await book.create(asked(), OLGA);
    await book.revoke(record.id, 'olga');
    expect(await book.revoke(record.id, 'mallory')).toMatchObject({ revokedBy: 'olga' });
    expect((await openBook()).list({ before: undefined, limit: 10 }).tokens).toMatchObject([{ revokedBy: 'olga' }]);
  });

  it('that nobody made cannot be revoked', async () => {
    const book = await openBook();
    await expect(book.revoke(newTokenId('token'), 'olga')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('longer than a host reads is not made', async () => {
    const book = await openBook();
    const permissions = Array.from({ length: 70 }, (_none, index) => `${index}-${'x'.repeat(95)}`);
    const maker = knowCaller({ id: 'olga', tier: 'admin', permissions }, undefined);
    await expect(book.create(asked({ permissions }), maker)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(book.list({ before: undefined, limit: 10 }).tokens).toEqual([]);
  });
});

describe('an API key', () => {
  it('is 256 random bits, known by its hash alone', async () => {
    const book = await openBook();
    const { record, credential } = await book.create(asked({ kind: 'api_key' }), OLGA);
    expect(credential).toMatch(/^plexi_[\w-]{43}$/);
    expect(record.prefix).toBe(credential.slice(0, 14));
    expect(record.sha256).toBe(sha256(credential));
    const kept = state.dump();
    expect(kept).toContain(sha256(credential));
    expect(kept).not.toContain(credential);
    expect(kept).not.toContain(credential.slice(14));
    expect(doorOf(book)(undefined, credential)).toMatchObject({ caller: { id: 'robot', permissions: ['read'] } });
  });

  it('is good after a restart, and until it ends', async () => {
    const { credential } = await (await openBook()).create(asked({ kind: 'api_key' }), OLGA);
    const authenticate = doorOf(await openBook());
    expect(authenticate(undefined, credential)).toMatchObject({ caller: { id: 'robot' } });
    now += HOUR_S * 1000;
    expect(() => authenticate(undefined, credential)).toThrow('has expired');
  });

  it('that was revoked is refused at once, and forgotten a day later', async () => {
    const book = await openBook();
    const { record, credential } = await book.create(asked({ kind: 'api_key', lifetime: 90 * 24 * HOUR_S }), OLGA);
    await book.revoke(record.id, 'olga');
    expect(() => doorOf(book)(undefined, credential)).toThrow('withdrawn');
    now += DAY_MS;
    await book.tidy();
    expect(() => doorOf(book)(undefined, credential)).toThrow('not known');
    expect(state.dump()).not.toContain(record.id);
  });

  it('is looked up by its hash: what is presented is compared with no key', async () => {
    const asks: string[] = [];
    const authenticate = createAuthenticate({ findKey: (digest) => void asks.push(digest) });
    const book = await openBook();
    const { credential } = await book.create(asked({ kind: 'api_key' }), OLGA);
    const near = `${credential.slice(0, -1)}${credential.endsWith('A') ? 'B' : 'A'}`;
    for (const presented of [credential, near, credential.slice(0, -1), 'x', 'plexi_']) {
      expect(() => authenticate(undefined, presented)).toThrow('not known');
      expect(asks.at(-1)).toBe(sha256(presented));
    }
    expect(book.findKey(sha256(near))).toBeUndefined();
    expect(book.findKey(credential)).toBeUndefined();
  });

  it('shows when it was used, to the minute, and keeps it', async () => {
    const book = await openBook();
    const { credential } = await book.create(asked({ kind: 'api_key' }), OLGA);
    const used = () => book.list({ before: undefined, limit: 1 }).tokens[0]?.usedAt;
    expect(used()).toBeUndefined();
    const first = now;
    const authenticate = doorOf(book);
    authenticate(undefined, credential);
    now += 59_000;
    authenticate(undefined, credential);
    expect(used()).toBe(first);
    now += 1_000;
    authenticate(undefined, credential);
    expect(used()).toBe(first + 60_000);
    await book.tidy();
    expect((await openBook()).list({ before: undefined, limit: 1 }).tokens[0]?.usedAt).toBe(first + 60_000);
  });
});

describe('nobody makes a token', () => {
  it.each([
    ['with a permission that they lack', { permissions: ['read', 'admin'] }, 'you lack "admin"'],
    ['with a wildcard', { permissions: ['*'] }, 'you lack "\\*"'],
    ['with another case', { permissions: ['READ'] }, 'you lack "READ"'],
    ['of a higher tier', { tier: 'admin' as const }, 'found admin, yours is premium'],
  ])('%s', async (_name, more, message) => {
    const book = await openBook();
    for (const kind of ['token', 'api_key'] as const) {
      const made = book.create(asked({ ...more, kind }), OLGA);
      await expect(made).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(message) });
    }
    expect(book.list({ before: undefined, limit: 10 }).tokens).toEqual([]);
  });

  it('beyond what one operator may have, and revoking makes room', async () => {
    const book = await openBook({ limits: { perOperator: 2 } });
    const first = await book.create(asked(), OLGA);
    await book.create(asked({ kind: 'api_key' }), OLGA);
    await expect(book.create(asked(), OLGA)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await book.create(asked(), knowCaller({ ...OLGA.caller, id: 'ann' }, undefined));
    await book.revoke(first.record.id, 'olga');
    await book.create(asked(), OLGA);
  });

  it('and revokes it again and again until the memory is full', async () => {
    const book = await openBook({ limits: { rememberedPerOperator: 3 } });
    for (let count = 0; count < 3; count++) {
      await book.revoke((await book.create(asked(), OLGA)).record.id, 'olga');
    }
    await expect(book.create(asked(), OLGA)).rejects.toThrow('remembered until they end');
    now += 2 * DAY_MS;
    await book.create(asked(), OLGA);
  });

  it('beyond what the host takes in all, also when many ask at once', async () => {
    const book = await openBook({ limits: { total: 5 } });
    const made = await Promise.allSettled(Array.from({ length: 20 }, () => book.create(asked(), OLGA)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(book.list({ before: undefined, limit: 100 }).tokens).toHaveLength(5);
  });

  it('that could not be written down', async () => {
    const book = await openBook();
    state.isAway = true;
    await expect(book.create(asked({ kind: 'api_key' }), OLGA)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(book.list({ before: undefined, limit: 10 }).tokens).toEqual([]);
  });
});

describe('a book that two hosts share', () => {
  it('has what the other made, and refuses what the other revoked, after a look', async () => {
    const [one, other] = [await openBook(), await openBook()];
    const { record, credential } = await one.create(asked({ kind: 'api_key' }), OLGA);
    await other.look();
    const authenticate = doorOf(other);
    expect(authenticate(undefined, credential)).toMatchObject({ caller: { id: 'robot' } });
    await one.revoke(record.id, 'olga');
    await other.look();
    expect(() => authenticate(undefined, credential)).toThrow('withdrawn');
  });

  it('can revoke what the other made a moment ago', async () => {
    const [one, other] = [await openBook(), await openBook()];
    const { record } = await one.create(asked(), OLGA);
    await other.revoke(record.id, 'ann');
    await one.look();
    expect(one.isWithdrawn(record.id)).toBe(true);
  });

  it('does not forget what it revoked itself because the state does not know it yet', async () => {
    const [one, other] = [await openBook(), await openBook()];
    const { record } = await one.create(asked(), OLGA);
    state.isAway = true;
    await one.revoke(record.id, 'olga').catch(() => {});
    state.isAway = false;
    await other.create(asked(), OLGA);
    await one.look();
    expect(one.isWithdrawn(record.id)).toBe(true);
  });

  it('reads nothing while nothing changed', async () => {
    const one = await openBook();
    const queries: string[] = [];
    const query = state.query;
    state.query = (sql, params) => {
      queries.push(sql);
      return query(sql, params);
    };
    await one.look();
    await one.look();
    expect(queries.filter((sql) => sql.includes('FROM tokens '))).toEqual([]);
    expect(queries).toHaveLength(2);
  });
});

it('a page follows the other, newest first', async () => {
  const book = await openBook();
  const ids: string[] = [];
  for (let count = 0; count < 7; count++) {
    // Some at the same moment.
    if (count % 2 === 0) now += 1000;
    ids.push((await book.create(asked(), OLGA)).record.id);
  }
  const found: string[] = [];
  let before: string | undefined;
  do {
    const page = book.list({ before, limit: 3 });
    found.push(...page.tokens.map(({ id }) => id));
    before = page.next;
  } while (before !== undefined);
  expect([...found].sort()).toEqual([...ids].sort());
  expect(new Set(found).size).toBe(7);
});

it('a token whose row cannot be read is refused: nobody can say whether it was revoked', async () => {
  const book = await openBook();
  const { record, credential } = await book.create(asked(), OLGA);
  for (const change of ["permissions = '['", "tier = 'root'", "expires_at = 'never'", "kind = 'api_key'"]) {
    await state.run([{ sql: "UPDATE tokens SET tier = 'basic', permissions = '[]', kind = 'token'" }]);
    await state.run([{ sql: `UPDATE tokens SET expires_at = ${record.expiresAt}` }]);
    expect((await openBook()).isWithdrawn(record.id)).toBe(false);
    await state.run([{ sql: `UPDATE tokens SET ${change}` }]);
    const other = await openBook();
    await expect(async () => doorOf(other)(`Bearer ${credential}`, undefined), change).rejects.toThrow('withdrawn');
  }
});

it('a row that no host wrote opens nothing, and is told', async () => {
  const book = await openBook();
  const { credential } = await book.create(asked({ kind: 'api_key' }), OLGA);
  for (const change of ["tier = 'root'", 'permissions = \'"read"\'', "kind = 'token'", "permissions = '['"]) {
    await state.run([{ sql: `UPDATE tokens SET tier = 'basic', permissions = '[]', kind = 'api_key'` }]);
    await state.run([{ sql: `UPDATE tokens SET ${change}` }]);
    const other = await openBook();
    expect(() => doorOf(other)(undefined, credential), change).toThrow('not known');
  }
  expect(warnings).toHaveLength(4);
  expect(failures).toEqual([]);
});
