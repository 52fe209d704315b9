/** What changes something in the console, against pages of other sites and headers that lie. */
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, serveGateway } from '../../runtime/gateway/serve.ts';
import { consoleDoor, JSON_TYPE, QUEUES, SAME_ORIGIN } from '../support/console-door.ts';
import { bearer, jsonOf } from '../support/fake-modules.ts';

describe('what changes something', () => {
  const { gateway, get, signIn, onAction } = consoleDoor();
  let session: Record<string, string> = {};
  beforeAll(async () => {
    session = await signIn();
  });
  const pause = (headers: Record<string, string>, init: RequestInit = {}) =>
    gateway.request(`${QUEUES}/pause`, { method: 'PUT', headers: { ...session, ...headers }, ...init });

  it('comes from the console’s own page', async () => {
    expect((await pause(SAME_ORIGIN)).status).toBe(200);
    expect((await pause({ origin: 'http://localhost' })).status).toBe(200);
    expect(onAction).toHaveBeenCalledWith(
      { sub: 'ann', permissions: ['modules:manage'] },
      expect.objectContaining({ method: 'PUT', path: '/queues/pause', status: 200 }),
    );
  });

  it.each<Record<string, string>>([
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin, cross-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://localhost' },
    { 'sec-fetch-site': '' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'https://evil.example' },
    { origin: 'https://localhost' },
    { origin: 'http://localhost:81' },
    { origin: 'http://localhost.evil.example' },
    { origin: 'http://localhost, http://evil.example' },
    { origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' },
    { origin: 'http://evil.example', referer: 'http://localhost/console/queues' },
    { referer: 'http://localhost/console/queues' },
    { 'x-requested-with': 'XMLHttpRequest' },
  ])('is refused with the proof %j', async (headers) => {
    const response = await pause(headers);
    expect(response.status).toBe(403);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  it.each(['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'FOO'])(
    'is refused from elsewhere by %s too',
    async (method) => {
      const response = await gateway.request(`${QUEUES}/pause`, { method, headers: session });
      expect(response.status).toBe(403);
    },
  );

  it('is not talked into being another method', async () => {
    const response = await get(`${QUEUES}/pause?_method=PUT`, { ...session, 'x-http-method-override': 'PUT' });
    expect(response.status).not.toBe(200);
  });

  it.each([
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/plain; application/json',
    'application/jsonp',
  ])('has no body of type %s', async (type) => {
    const headers: Record<string, string> = { ...SAME_ORIGIN, ...(type === undefined ? {} : { 'content-type': type }) };
    const body = new TextEncoder().encode('{"priority":1}');
    expect((await pause(headers, { body })).status).toBe(400);
  });

  it('has no large body', async () => {
    expect((await pause({ ...SAME_ORIGIN, ...JSON_TYPE }, { body: JSON.stringify('x'.repeat(100_000)) })).status).toBe(
      413,
    );
  });

  it('needs modules:manage, by cookie and by token', async () => {
    const reader = await signIn(['modules:read']);
    expect((await get(QUEUES, reader)).status).toBe(200);
    for (const headers of [reader, await bearer({ tier: 'admin', permissions: ['modules:read'] })]) {
      const response = await gateway.request(`${QUEUES}/pause`, {
        method: 'PUT',
        headers: { ...headers, ...SAME_ORIGIN },
      });
      expect(response.status).toBe(403);
      // With what the board's page shows of it.
      expect(await jsonOf(response)).toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringContaining('modules:manage'),
      });
    }
  });

  it('is what the board may do', async () => {
    for (const [method, path, status] of [
      ['POST', '/weather/add', 403],
      ['PUT', '/weather/obliterate', 403],
      ['PUT', '/weather/%6Fbliterate', 404],
      ['PATCH', '/weather/1/update-data', 403],
    ] as const) {
      const response = await gateway.request(`${QUEUES}${path}`, {
        method,
        headers: { ...session, ...SAME_ORIGIN },
      });
      expect(response.status, path).toBe(status);
    }
  });
});

describe('over a socket', () => {
  const { console, gateway, signIn } = consoleDoor({ isLocalOnly: true });
  let server: Serving;
  beforeAll(async () => {
    server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  });
  afterAll(() => server.close());

  function send(method: string, path: string, headers: Record<string, string | string[]>): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port: server.port, method, path, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });
  }
  const pause = (headers: Record<string, string | string[]>) => send('PUT', `${QUEUES}/pause`, headers);

  it('a page of this very host is believed', async () => {
    const own = `127.0.0.1:${server.port}`;
    const session = await signIn(['modules:manage'], own);
    expect(await pause({ ...session, host: own, origin: `http://${own}` })).toBe(200);
    expect(await send('PUT', `${QUEUES}/pause?x=`, { ...session, host: own, origin: `http://${own}` })).toBe(200);
    expect(await send('GET', `${QUEUES}?jobsPerPage=300&activeQueue=`, { ...session, host: own })).toBe(200);
  });

  it('headers that lie help nobody', async () => {
    const session = await signIn(['modules:manage'], `127.0.0.1:${server.port}`);
    const lies: Record<string, string | string[]>[] = [
      { origin: 'http://evil.example' },
      { origin: `https://127.0.0.1:${server.port}` },
      { origin: ['http://evil.example', `http://127.0.0.1:${server.port}`] },
      { origin: 'http://evil.example', 'x-forwarded-host': 'evil.example' },
      { origin: 'http://evil.example', forwarded: 'host=evil.example' },
      { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
      { origin: 'http://evil.example', 'x-original-host': 'evil.example' },
      { 'sec-fetch-site': ['same-origin', 'cross-site'] },
    ];
    for (const headers of lies) expect(await pause({ ...session, ...headers }), JSON.stringify(headers)).toBe(403);
  });

  it.each([
    'rebound.example',
    'localhost.rebound.example',
    '127.0.0.1.rebound.example',
    'localhost@x',
    '0.0.0.0',
    '[::]',
  ])('a name that was bent to this machine is not the console’s: %s', async (host) => {
    const bent = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect(await send('GET', '/console/login', bent)).toBe(host.includes('@') ? 400 : 403);
    expect(await pause(bent)).toBe(host.includes('@') ? 400 : 403);
  });

  it.each(['localhost', 'my.localhost', '127.0.0.1', '127.8.9.10', '[::1]', 'LOCALHOST'])(
    '%s is its own',
    async (host) => {
      expect(await send('GET', '/console/login', { host: `${host}:${server.port}` })).toBe(200);
      expect(await pause({ host, origin: `http://${host.toLowerCase()}` })).toBe(401);
    },
  );

  it('a login link is not followed to another host', async () => {
    const path = console.issueLogin('ann', ['modules:read']);
    const response = await fetch(server.url + path, { redirect: 'manual' });
    expect(response.status).toBe(200);
    expect(response.headers.get('location')).toBeNull();
    expect(await response.text()).toContain('src="/console/assets/signed-in.js"');
  });
});
