import { createHash } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../runtime/policy/authenticate.ts';
import { knowCaller } from '../../runtime/policy/caller.ts';
import { FailedLogins, type FailedLoginsOptions } from '../../runtime/policy/failed-logins.ts';
import { signToken } from '../../runtime/policy/sign-token.ts';
import { SECRET } from '../support/fake-modules.ts';

const HERE = { address: '192.0.2.1' };
const THERE = { address: '192.0.2.2' };
const OTHER_SECRET = new TextEncoder().encode('the secret of another installation, 32+');
const MADE = 'plexi_made-by-the-host';
const CONFIGURED = 'weak-1';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const claims = { sub: 'alice', tier: 'basic', permissions: ['read'], lifetime: 600 } as const;

let now: number;
let told: string[];
beforeEach(() => {
  [now, told] = [1_800_000_000_000, []];
});

function failedLogins(options: Partial<FailedLoginsOptions> = {}): FailedLogins {
  return new FailedLogins({
    limit: 3,
    windowMs: 60_000,
    onFailure: ({ kind, name, details }) => void told.push(`${kind}: ${name}: ${details}`),
    now: () => now,
    ...options,
  });
}

function door(logins = failedLogins()) {
  return createAuthenticate(
    {
      secret: SECRET,
      failedLogins: logins,
      findKey: (digest) =>
        digest === sha256(MADE) ? knowCaller({ id: 'robot', tier: 'basic', permissions: [] }, 'key_1') : undefined,
      apiKeys: [{ id: 'old', sha256: sha256(CONFIGURED), sub: 'bob', tier: 'basic', permissions: [] }],
      isRevoked: (id) => id === 'tok_gone',
    },
    () => now,
  );
}

async function codes(tries: readonly (() => unknown)[]): Promise<string[]> {
  const found: string[] = [];
  for (const attempt of tries) {
    const error: unknown = await Promise.resolve()
      .then(attempt)
      .then(
        () => 'in',
        (caught: unknown) => caught,
      );
    found.push(error instanceof PlexiError ? error.code : String(error));
  }
  return found;
}

describe('who tries one key after the other', () => {
  it('is answered with 429 from the limit on, with the time to wait, and let try again after the window', async () => {
    const authenticate = door();
    const tries = Array.from({ length: 5 }, (_none, index) => () => authenticate(undefined, `guess-${index}`, HERE));
    expect(await codes(tries)).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
      'RATE_LIMITED',
      'RATE_LIMITED',
    ]);
    now += 20_000;
    expect(() => authenticate(undefined, 'guess', HERE)).toThrow(
      expect.objectContaining({ headers: expect.objectContaining({ 'retry-after': '40' }) }),
    );
    now += 40_000;
    expect(await codes([() => authenticate(undefined, 'guess', HERE)])).toEqual(['UNAUTHENTICATED']);
  });

  it('finds no key of plexi.yaml any more, although it is the right one', async () => {
    const authenticate = door();
    expect(await codes([() => authenticate(undefined, CONFIGURED, HERE)])).toEqual(['in']);
    await codes(Array.from({ length: 3 }, (_none, index) => () => authenticate(undefined, `guess-${index}`, HERE)));
    expect(await codes([() => authenticate(undefined, CONFIGURED, HERE)])).toEqual(['RATE_LIMITED']);
    expect(await codes([() => authenticate(undefined, CONFIGURED, THERE)])).toEqual(['in']);
  });

  it('keeps nobody out who has what cannot be guessed', async () => {
    const authenticate = door();
    await codes(Array.from({ length: 50 }, () => () => authenticate(undefined, 'guess', HERE)));
    const token = await signToken(SECRET, claims, now);
    expect(
      await codes([
        () => authenticate(undefined, MADE, HERE),
        () => authenticate(`Bearer ${token}`, undefined, HERE),
        () => authenticate(`Bearer ${token}`, undefined, HERE),
        () => authenticate(undefined, 'guess', HERE),
      ]),
    ).toEqual(['in', 'in', 'in', 'RATE_LIMITED']);
  });

  it('is one address with a whole IPv6 network', async () => {
    const authenticate = door();
    const tries = Array.from(
      { length: 4 },
      (_none, index) => () => authenticate(undefined, 'guess', { address: `2001:db8::${index}` }),
    );
    expect((await codes(tries)).at(-1)).toBe('RATE_LIMITED');
  });

  it('from many addresses fills no memory', async () => {
    const logins = failedLogins({ maxAddresses: 10, limit: 1 });
    const authenticate = door(logins);
    const guess = (index: number) => () => authenticate(undefined, 'guess', { address: `192.0.2.${index}` });
    await codes(Array.from({ length: 100 }, (_none, index) => guess(index)));
    expect(await codes([guess(99), guess(0)])).toEqual(['RATE_LIMITED', 'UNAUTHENTICATED']);
  });
});

describe('what counts', () => {
  it.each([
    ['a token of another installation', async () => signToken(OTHER_SECRET, claims, now), true],
    ['what is no token', async () => 'abc.def.ghi', true],
    ['a token that has expired', async () => signToken(SECRET, { ...claims, lifetime: -60 }, now), false],
    ['a token that was withdrawn', async () => signToken(SECRET, { ...claims, id: 'tok_gone' }, now), false],
    ['a token without a tier', async () => signToken(SECRET, { ...claims, tier: 'root' as never }, now), false],
  ])('%s', async (_name, make, counts) => {
    const authenticate = door();
    const token = await make();
    const found = await codes(Array.from({ length: 4 }, () => () => authenticate(`Bearer ${token}`, undefined, HERE)));
    expect(found.at(-1)).toBe(counts ? 'RATE_LIMITED' : 'UNAUTHENTICATED');
  });

  it('is not a stream that looks again', async () => {
    const authenticate = door();
    const found = await codes(Array.from({ length: 10 }, () => () => authenticate(undefined, 'guess')));
    expect(new Set(found)).toEqual(new Set(['UNAUTHENTICATED']));
    expect(told).toEqual([]);
  });
});

it('each is told, up to the limit, and never with the credential', async () => {
  const authenticate = door();
  await codes(Array.from({ length: 10 }, () => () => authenticate(undefined, 'plexi_my-secret-guess', HERE)));
  expect(told).toEqual([
    ...Array.from({ length: 3 }, () => 'login_failed: unknown API key: from 192.0.2.1'),
    'login_blocked: too many: from 192.0.2.1: 3 within 60 s',
  ]);
  const token = await signToken(SECRET, { ...claims, id: 'tok_gone' }, now);
  await codes([() => authenticate(`Bearer ${token}`, undefined, THERE)]);
  expect(told.at(-1)).toBe('credential_withdrawn: used all the same: tok_gone, from 192.0.2.2');
});

it('an address that a proxy made up is cut', () => {
  const logins = failedLogins();
  logins.tellBadLink({ address: 'x'.repeat(10_000) });
  expect(told[0]?.length).toBeLessThan(150);
});
