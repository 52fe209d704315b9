/** Tokens and keys in the hands of strangers, against a real host: forged, stolen and revoked, guessed, or in the wrong place. */
import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer as signedBearer } from '../support/fake-modules.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { tokenEdge } from '../support/token-host.ts';
import { until } from '../support/until.ts';

const LIMIT = 5;
const WEAK = 'weak-key-of-plexi-yaml';

let host: TestHost;
let operator: string;
/** All credentials that were made; none of them may be found anywhere. */
const made: string[] = [];
/** All that the host answered, but for the one answer that shows a credential. */
const answers: string[] = [];
let addresses = 0;

beforeAll(async () => {
  host = await startTestHost({
    // Each test comes from an address of its own.
    config: `trust_proxy: true\nauth: { issuer: plexi-here, failed_logins: { limit: ${LIMIT} }, api_keys: [{ id: weak, sha256: ${createHash('sha256').update(WEAK).digest('hex')}, tier: basic, sub: bob }] }\n`,
    files: {
      'worker/config.yaml': 'module_name: worker\nmodule_version: 1.0.0\n',
      'worker/module.ts': `
        import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
        export default class Worker extends BaseModule {
          @moduleEndpoint('GET /', { permissions: ['read'] }) who({ caller }: any) { return { id: caller?.id }; }
        }`,
    },
  });
  operator = await host.token({ sub: 'olga', tier: 'admin', permissions: ['modules:manage', 'read'] });
});
afterAll(() => host.close());

type Sent = Readonly<Record<string, string>>;
const newAddress = (): string => `198.51.100.${++addresses}`;

async function ask(path: string, headers: Sent = {}, address = newAddress(), init: RequestInit = {}) {
  const response = await fetch(host.url + path, {
    redirect: 'manual',
    ...init,
    headers: { 'x-forwarded-for': address, ...headers },
  });
  const text = await response.text();
  answers.push(text, JSON.stringify([...response.headers].filter(([name]) => name !== 'set-cookie')));
  return { status: response.status, text, headers: response.headers };
}
const bearer = (token: string): Sent => ({ authorization: `Bearer ${token}` });
const use = async (headers: Sent, address?: string) => (await ask('/api/v1/worker', headers, address)).status;

async function make(body: object): Promise<{ id: string; credential: string }> {
  const response = await host.fetch('/api/v1/tokens', {
    method: 'POST',
    token: operator,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'test', permissions: ['read'], ...body }),
  });
  expect(response.status).toBe(201);
  const answer = (await response.json()) as { id: string; credential: string };
  made.push(answer.credential);
  return answer;
}
const revoke = async (id: string) =>
  (await host.fetch(`/api/v1/tokens/${id}`, { method: 'DELETE', token: operator })).status;

// First, before the security log has had enough of this for a minute.
describe('who guesses', () => {
  it('is told to wait, at every door, and is seen by operators', async () => {
    const address = newAddress();
    const { credential } = await make({ kind: 'api_key' });
    const guess = (index: number) => ask('/api/v1/worker', { 'x-api-key': `plexi_guess-${index}` }, address);
    for (let index = 0; index < LIMIT; index++) expect((await guess(index)).status).toBe(401);
    const stopped = await guess(LIMIT);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('/api/v1/tokens', { 'x-api-key': 'plexi_guess' }, address)).status).toBe(429);
    expect((await ask('/metrics', bearer('a.b.c'), address)).status).toBe(429);
    expect(await use({ 'x-api-key': WEAK }, address)).toBe(429);
    const login = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const body = JSON.stringify({ credential: 'plexi_guess' });
    expect((await ask('/console/login', login, address, { method: 'POST', body })).status).toBe(429);
    // Who has a good one is not kept out by those beside them.
    expect(await use({ 'x-api-key': credential }, address)).toBe(200);
    expect(await use(bearer(await host.token()), address)).toBe(200);
    const { events } = JSON.parse((await ask('/api/v1/security-events', bearer(operator))).text) as {
      events: { module: string; kind: string; name: string; details: string; count: number }[];
    };
    const own = events.filter(({ kind, details }) => kind === 'login_failed' && details.includes(address));
    expect(own.map(({ module }) => module)).toEqual(own.map(() => '@host'));
    const counted = own.filter(({ name }) => name === 'unknown API key').reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(LIMIT);
    expect(events.filter(({ kind }) => kind === 'login_blocked')).toMatchObject([{ module: '@host' }]);
    expect(JSON.stringify(events)).not.toContain('guess');
  });

  it('hides behind no address of their own invention', async () => {
    const address = newAddress();
    for (let index = 0; index < LIMIT; index++) await use({ 'x-api-key': 'x' }, `203.0.113.${index}, ${address}`);
    expect(await use({ 'x-api-key': 'x' }, `203.0.113.99, ${address}`)).toBe(429);
  });

  it('login links is told to wait too, and a link works once', async () => {
    const link = host.host.issueLogin('ann', ['modules:manage']);
    expect((await ask(link)).status).toBe(200);
    expect((await ask(link)).status).toBe(403);
    const address = newAddress();
    const statuses: number[] = [];
    for (let index = 0; index < 12; index++) {
      statuses.push((await ask(`/console/login?code=${'A'.repeat(42)}${index % 10}`, {}, address)).status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 403));
    expect(statuses.slice(10)).toEqual([429, 429]);
    const { text } = await ask('/api/v1/security-events?limit=200', bearer(operator));
    expect(text).toContain(`unknown, used or too old, from ${address}`);
  });
});

describe('a token that somebody forged', () => {
  const claims = { sub: 'mallory', tier: 'admin', permissions: ['modules:manage', 'read'], iss: 'plexi-here' };
  const signed = (key: Uint8Array, more: object = {}, until = '1h') =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(until).sign(key);
  const parts = (token: string) => token.split('.') as [string, string, string];
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each<[string, () => Promise<string>]>([
    ['has no signature', async () => new UnsecuredJWT(claims).setExpirationTime('1h').encode()],
    ['says that it needs none', async () => `${encode({ alg: 'None' })}.${encode({ ...claims, exp: 9e9 })}.`],
    ['is signed with another key', () => signed(new Uint8Array(32))],
    [
      'is signed with an empty key',
      async () => {
        const text = `${encode({ alg: 'HS256' })}.${encode({ ...claims, exp: 9e9 })}`;
        return `${text}.${createHmac('sha256', '').update(text).digest('base64url')}`;
      },
    ],
    ['is of another issuer', () => signed(host.host.secret, { iss: 'plexi-there' })],
    ['is of no issuer', () => signed(host.host.secret, { iss: undefined })],
    [
      'has other claims than were signed',
      async () => {
        const [head, , signature] = parts((await make({})).credential);
        return `${head}.${encode({ ...claims, exp: 9e9 })}.${signature}`;
      },
    ],
    [
      'has another header than was signed',
      async () => {
        const [, body, signature] = parts((await make({})).credential);
        return `${encode({ alg: 'none' })}.${body}.${signature}`;
      },
    ],
    ['has expired', () => signed(host.host.secret, {}, '1 minute ago')],
  ])('and that %s opens nothing', async (_name, forge) => {
    const token = await forge();
    for (const path of ['/api/v1/worker', '/api/v1/tokens', '/metrics', '/console/queues/api/queues']) {
      expect((await ask(path, bearer(token))).status, path).toBe(401);
    }
  });

  it('with the id of one that is good borrows nothing from it', async () => {
    const { id } = await make({});
    expect(await use(bearer(await signed(new Uint8Array(32), { jti: id })))).toBe(401);
  });
});

describe('a key', () => {
  it('of another installation opens nothing', async () => {
    const { gateway } = await tokenEdge();
    const headers = {
      ...(await signedBearer({ permissions: ['modules:manage'] })),
      'content-type': 'application/json',
    };
    for (const kind of ['api_key', 'token']) {
      const body = JSON.stringify({ name: 'foreign', kind, permissions: [] });
      const response = await gateway.request('/api/v1/tokens', { method: 'POST', headers, body });
      const { credential } = (await response.json()) as { credential: string };
      expect(await use(kind === 'token' ? bearer(credential) : { 'x-api-key': credential }), kind).toBe(401);
    }
  });

  it('opens nothing when it is cut, longer, in another case, twice, or beside a token', async () => {
    const { credential } = await make({ kind: 'api_key' });
    expect(await use({ 'x-api-key': credential })).toBe(200);
    const near = [
      credential.slice(0, -1),
      `${credential}A`,
      credential.toUpperCase(),
      credential.slice(6),
      `${credential}, ${credential}`,
    ];
    for (const presented of near) expect(await use({ 'x-api-key': presented }), presented.length.toString()).toBe(401);
    expect(await use({ 'x-api-key': credential, ...bearer(operator) })).toBe(401);
  });

  it('is never taken from a URL, a cookie, a body or another header', async () => {
    const { credential } = await make({ kind: 'api_key' });
    const names = ['api_key', 'apikey', 'key', 'x-api-key', 'X-API-Key', 'access_token', 'token', 'authorization'];
    const query = names.map((name) => `${name}=${credential}`).join('&');
    expect((await ask(`/api/v1/worker?${query}`)).status).toBe(401);
    expect((await ask(`/api/v1/tokens?${query}`)).status).toBe(401);
    const basic = Buffer.from(`${credential}:${credential}`).toString('base64');
    const places: Sent[] = [
      bearer(credential),
      { authorization: credential },
      { authorization: `Basic ${basic}` },
      { authorization: `ApiKey ${credential}` },
      { cookie: `x-api-key=${credential}; api_key=${credential}; plexi-session=${credential}` },
      { 'x-auth-token': credential, 'api-key': credential, 'proxy-authorization': `Bearer ${credential}` },
    ];
    for (const place of places) expect(await use(place), Object.keys(place).join()).toBe(401);
  });
});

describe('what was revoked', () => {
  it.each(['token', 'api_key'])('%s is refused at the next request, everywhere', async (kind) => {
    const { id, credential } = await make({ kind, permissions: ['modules:manage', 'read'] });
    const headers = kind === 'token' ? bearer(credential) : { 'x-api-key': credential };
    const doors = ['/api/v1/worker', '/api/v1/tokens', '/metrics', '/console/queues/api/queues'];
    for (const door of doors) expect((await ask(door, headers)).status, door).toBe(200);
    expect(await revoke(id)).toBe(204);
    for (const door of doors) expect((await ask(door, headers)).status, door).toBe(401);
    const told = await ask('/api/v1/security-events?limit=200', bearer(operator));
    expect(told.text).toContain(`"kind":"credential_withdrawn","name":"used all the same","details":"${id}, from`);
    expect((await ask(`/api/v1/tokens/${id}`, headers, newAddress(), { method: 'DELETE' })).status).toBe(401);
  });

  it('ends the session of the console that was begun with it', async () => {
    const { id, credential } = await make({ kind: 'api_key', permissions: ['modules:manage'] });
    const response = await fetch(`${host.url}/console/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', 'x-forwarded-for': newAddress() },
      body: JSON.stringify({ credential }),
    });
    const { pageKey } = (await response.json()) as { pageKey: string };
    const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const session = { cookie, 'x-plexi-page-key': pageKey };
    expect((await ask('/console/queues/api/queues', session)).status).toBe(200);
    await revoke(id);
    expect((await ask('/console/queues/api/queues', session)).status).toBe(401);
  });
});

it('nothing of a key or a token is in the log, on the disk or in an answer', async () => {
  const { credential } = await make({ kind: 'api_key' });
  await use({ 'x-api-key': credential });
  const state = () =>
    readdirSync(host.data)
      .filter((name) => name.startsWith('state.db'))
      .map((name) => readFileSync(join(host.data, name), 'latin1'))
      .join('');
  await until(() => state().includes(credential.slice(0, 14)));
  const places = { log: JSON.stringify(host.lines), state: state(), answers: answers.join('\n') };
  expect(made.length).toBeGreaterThan(5);
  for (const [place, text] of Object.entries(places)) {
    for (const one of made) {
      // Of a key all but how it begins, of a token its signature.
      const secret = one.startsWith('plexi_') ? one.slice(14) : one.slice(one.lastIndexOf('.') + 1);
      expect(text.includes(secret), place).toBe(false);
    }
  }
});
