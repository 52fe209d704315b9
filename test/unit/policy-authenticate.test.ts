import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAuthenticate } from '../../runtime/policy/authenticate.ts';
import { SECRET, tokenFor } from '../support/fake-modules.ts';

const refused = (detail: string) =>
  expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringContaining(detail) });

describe('a bearer token', () => {
  const authenticate = createAuthenticate({ secret: SECRET });
  const present = async (token: string) => authenticate(`Bearer ${token}`, undefined);

  it('says who calls', async () => {
    const known = await present(
      await tokenFor({ sub: 'bob', tier: 'premium', permissions: ['write', 'read', 'read'] }),
    );
    expect(known?.caller).toEqual({ id: 'bob', tier: 'premium', permissions: ['read', 'write'] });
  });

  it('is verified once, and then known at once', async () => {
    const token = await tokenFor();
    const first = authenticate(`Bearer ${token}`, undefined);
    expect(first).toBeInstanceOf(Promise);
    const known = await first;
    expect(authenticate(`Bearer ${token}`, undefined)).toBe(known);
  });

  it.each([
    ['is garbage', 'abc.def.ghi', 'not a JWT'],
    ['is empty', '', 'must be "Bearer"'],
    ['is too long', 'a'.repeat(9000), 'too long'],
  ])('that %s is refused', async (_name, token, detail) => {
    await expect(present(token)).rejects.toEqual(refused(detail));
  });

  it.each([
    ['no tier', { tier: undefined }],
    ['an unknown tier', { tier: 'root' }],
    ['permissions as text', { permissions: 'admin' }],
    ['a control character in its subject', { sub: 'a\nb' }],
    ['an empty subject', { sub: '' }],
  ])('with %s is refused', async (_name, claims) => {
    const token = await new SignJWT({ sub: 'alice', tier: 'basic', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(SECRET);
    await expect(present(token)).rejects.toEqual(refused('must have sub, exp, tier'));
  });

  it('without an end is refused', async () => {
    const token = await new SignJWT({ sub: 'a', tier: 'basic' }).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);
    await expect(present(token)).rejects.toEqual(refused('exp'));
  });

  it('without a signature, with another secret or another algorithm is refused', async () => {
    const unsigned = new UnsecuredJWT({ sub: 'a', tier: 'admin' }).setExpirationTime('1h').encode();
    await expect(present(unsigned)).rejects.toEqual(refused('algorithm'));
    const sign = (alg: string, secret: Uint8Array) =>
      new SignJWT({ sub: 'a', tier: 'basic' }).setProtectedHeader({ alg }).setExpirationTime('1h').sign(secret);
    await expect(present(await sign('HS256', new Uint8Array(32)))).rejects.toEqual(refused('not valid'));
    await expect(present(await sign('HS512', new Uint8Array(64)))).rejects.toEqual(refused('algorithm'));
  });

  it('is not believed longer than it says', async () => {
    let now = Date.now();
    const clocked = createAuthenticate({ secret: SECRET }, () => now);
    const header = `Bearer ${await tokenFor()}`;
    await clocked(header, undefined);
    now += 3_599_000;
    expect(clocked(header, undefined)).not.toBeInstanceOf(Promise);
    now += 10_000;
    await expect(clocked(header, undefined)).rejects.toEqual(refused('expired'));
  });

  it('can be withdrawn, also when it is remembered', async () => {
    const isRevoked = vi.fn(() => false);
    const revoking = createAuthenticate({ secret: SECRET, isRevoked });
    const header = `Bearer ${await tokenFor({ jti: 'token-1' })}`;
    await revoking(header, undefined);
    isRevoked.mockReturnValue(true);
    expect(() => revoking(header, undefined)).toThrow(refused('withdrawn'));
    expect(isRevoked).toHaveBeenLastCalledWith('token-1');
  });

  it('must come from the right issuer for the right audience, when these are set', async () => {
    const strict = createAuthenticate({ secret: SECRET, issuer: 'plexi', audience: 'modules' });
    await expect(strict(`Bearer ${await tokenFor()}`, undefined)).rejects.toEqual(refused('iss'));
    const wrong = await tokenFor({ iss: 'plexi', aud: 'others' });
    await expect(strict(`Bearer ${wrong}`, undefined)).rejects.toEqual(refused('aud'));
    const right = await tokenFor({ iss: 'plexi', aud: 'modules' });
    await expect(strict(`Bearer ${right}`, undefined)).resolves.toMatchObject({ caller: { id: 'alice' } });
  });
});

describe('a JWKS URL', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serveKeys(keys: unknown[]): Promise<string> {
    const server = createServer((_request, response) => response.end(JSON.stringify({ keys })));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  }

  it('lets an identity provider sign, for a minute at a time', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwksUrl = await serveKeys([{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }]);
    let now = Date.now();
    const authenticate = createAuthenticate({ jwksUrl }, () => now);
    const token = await new SignJWT({ sub: 'carol', tier: 'basic' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setExpirationTime('1h')
      .sign(privateKey);
    await expect(authenticate(`Bearer ${token}`, undefined)).resolves.toMatchObject({ caller: { id: 'carol' } });
    expect(authenticate(`Bearer ${token}`, undefined)).not.toBeInstanceOf(Promise);
    now += 61_000;
    expect(authenticate(`Bearer ${token}`, undefined)).toBeInstanceOf(Promise);
  });

  it('does not let a public key pass as a secret', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const jwksUrl = await serveKeys([{ ...jwk, kid: 'k1', alg: 'RS256' }]);
    const authenticate = createAuthenticate({ jwksUrl });
    const forged = await new SignJWT({ sub: 'eve', tier: 'admin' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(JSON.stringify(jwk)));
    await expect(authenticate(`Bearer ${forged}`, undefined)).rejects.toEqual(refused('not valid'));
  });

  it('that does not answer is our problem, not the caller’s', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const authenticate = createAuthenticate({ jwksUrl: 'http://127.0.0.1:9/keys' });
    const token = await new SignJWT({ sub: 'carol', tier: 'basic' })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setExpirationTime('1h')
      .sign(privateKey);
    await expect(authenticate(`Bearer ${token}`, undefined)).rejects.toMatchObject({
      code: 'HOST_SHEDDING',
      headers: { 'retry-after': '5' },
    });
  });
});

describe('an API key', () => {
  const key = {
    id: 'k1',
    sha256: createHash('sha256').update('s3cret').digest('hex'),
    sub: 'bot',
    tier: 'basic',
    permissions: ['read'],
  } as const;
  const authenticate = createAuthenticate({
    secret: SECRET,
    apiKeys: [{ ...key, id: 'k0', sha256: '0'.repeat(64) }, key],
  });

  it('says who calls', () => {
    expect(authenticate(undefined, 's3cret')).toMatchObject({ caller: { id: 'bot', permissions: ['read'] } });
  });

  it.each(['', 'S3cret', 's3cret ', 'x'.repeat(1000)])('that is wrong (%.10s) is refused', (presented) => {
    expect(() => authenticate(undefined, presented)).toThrow(refused('not known'));
  });

  it('next to a token is refused, however good both are', async () => {
    const token = await tokenFor();
    expect(() => authenticate(`Bearer ${token}`, 's3cret')).toThrow(refused('not both'));
  });

  it('with a digest that is none stops the host at start', () => {
    expect(() => createAuthenticate({ apiKeys: [{ ...key, sha256: 'abc' }] })).toThrow('64 hexadecimal digits');
  });
});

describe('other credentials', () => {
  const authenticate = createAuthenticate({ secret: SECRET });

  it('none means nobody', () => {
    expect(authenticate(undefined, undefined)).toBeNull();
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer  two', 'bearer a b', 'token'])('%s is refused', (header) => {
    expect(() => authenticate(header, undefined)).toThrow(refused('must be "Bearer"'));
  });

  it('a refusal names the scheme', () => {
    expect(() => authenticate('Basic YTpi', undefined)).toThrow(
      expect.objectContaining({
        headers: { 'www-authenticate': expect.stringMatching(/^Bearer realm="plexi", error="invalid_token"/) },
      }),
    );
  });
});
