/** Pages of other sites that make an operator's browser ask the host for something: the management API and a real console. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAGE_KEY_HEADER } from '../../runtime/console/operator-of.ts';
import { exchange } from '../support/raw-http.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

let host: TestHost;
let port = 0;
let session: Record<string, string> = {};
beforeAll(async () => {
  host = await startTestHost({
    files: {
      'worker/config.yaml': 'module_name: worker\nmodule_version: 1.0.0\nsecurity: { require_authentication: false }\n',
      'worker/module.ts': `
        import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
        export default class Worker extends BaseModule {
          @moduleEndpoint('POST /') ran({ request }: any) { return Object.fromEntries(request.headers); }
        }`,
    },
  });
  port = Number(new URL(host.url).port);
  const signedIn = await fetch(host.url + host.host.issueLogin('ann', ['modules:manage']));
  const [, key = ''] = /name="page-key" content="([\w-]+)"/.exec(await signedIn.text()) ?? [];
  session = { cookie: (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '', [PAGE_KEY_HEADER]: key };
});
afterAll(() => host.close());

const API = ['/api/v1/modules', '/api/v1/tasks', '/metrics'];
const ACTIONS = ['run', 'pause', 'resume'].map((verb) => `/api/v1/tasks/worker/nightly/${verb}`);

async function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<number | undefined> {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-length': String(body.length),
    connection: 'close',
    ...headers,
  });
  const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n');
  const { answers } = await exchange(port, `${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`, { quietMs: 10_000 });
  return answers[0]?.status;
}

describe('a session of the console', () => {
  it('is one', async () => {
    expect(await send('GET', '/console/queues/api/queues', session)).toBe(200);
    expect(session.cookie).not.toBe('');
  });

  it.each(API)('says nothing about its operator at %s', async (path) => {
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { origin: host.url }]) {
      expect(await send('GET', path, { ...session, ...headers })).toBe(401);
    }
  });

  it.each(ACTIONS)('starts, pauses and resumes nothing at %s', async (path) => {
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }]) {
      expect(await send('POST', path, { ...session, ...headers }, '{}')).toBe(401);
    }
  });

  it('is no bearer token and no key, whole or in parts', async () => {
    const token = (session.cookie ?? '').split('=')[1] ?? '';
    const key = session[PAGE_KEY_HEADER] ?? '';
    for (const value of [token, key]) {
      expect(await send('GET', '/api/v1/modules', { authorization: `Bearer ${value}` })).toBe(401);
      expect(await send('GET', '/api/v1/modules', { 'x-api-key': value })).toBe(401);
    }
    expect(await send('GET', `/api/v1/modules?access_token=${token}&token=${token}&api_key=${key}`, session)).toBe(401);
  });

  it('reaches no module', async () => {
    const answer = await fetch(`${host.url}/api/v1/worker`, { method: 'POST', headers: session });
    const headers = (await answer.json()) as Record<string, string>;
    expect(answer.status).toBe(200);
    expect(headers.cookie).toBeUndefined();
  });
});

describe('a form of another site', () => {
  it.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/plain;charset=UTF-8',
    '',
  ])('signs nobody in or out: %s', async (type) => {
    const body = '{"credential":"plexi_x","a":"="}';
    for (const site of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
      { origin: 'https://evil.example' },
      {},
    ]) {
      const headers = { ...session, ...site, ...(type === '' ? {} : { 'content-type': type }) };
      expect(await send('POST', '/console/login', headers, body)).toBe(403);
      expect(await send('POST', '/console/logout', headers)).toBe(403);
    }
    expect(await send('POST', '/console/login', { 'sec-fetch-site': 'same-origin', 'content-type': type }, body)).toBe(
      400,
    );
    expect(await send('GET', '/console/queues/api/queues', session)).toBe(200);
  });

  it('acts on nothing even with a token in hand when its body is a form’s', async () => {
    const authorization = `Bearer ${await host.token({ permissions: ['modules:manage'] })}`;
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      expect(await send('POST', ACTIONS[0] ?? '', { authorization, 'content-type': type }, '{}')).toBe(400);
    }
    for (const override of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      expect(await send('GET', `${ACTIONS[0]}?_method=POST`, { authorization, [override]: 'POST' })).toBe(405);
    }
  });
});

describe('a script of another site', () => {
  it.each([
    '/api/v1/modules',
    '/api/v1/tasks',
    '/api/v1/worker',
    '/console/queues/api/queues',
    '/console/login',
    '/openapi.json',
    '/metrics',
  ])('is allowed to read nothing of %s', async (path) => {
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      const asked = {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      };
      const { headers } = await fetch(host.url + path, {
        method,
        headers: { ...asked, ...session },
        redirect: 'manual',
      });
      const opening = [...headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect(opening, `${method} ${path}`).toEqual([]);
    }
  });
});

describe('a name that was bent to this machine', () => {
  it.each(['evil.example', `evil.example:80`, '0.0.0.0', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    '%s has no console',
    async (name) => {
      const headers = {
        host: name,
        origin: `http://${name}`,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/json',
      };
      for (const path of ['/console', '/console/login', '/console/queues', '/console/assets/login.js']) {
        expect(await send('GET', path, { ...session, ...headers }), path).toBe(403);
      }
      expect(await send('POST', '/console/login', headers, '{"credential":"guess"}')).toBe(403);
      expect(await send('PUT', '/console/queues/api/queues/pause', { ...session, ...headers })).toBe(403);
      const code = host.host.issueLogin('ann', ['modules:read']);
      expect(await send('GET', code, headers)).toBe(403);
      // And the code is still good for its operator.
      expect(await send('GET', code)).toBe(200);
    },
  );

  it('has no operators’ API without a token', async () => {
    for (const path of API) expect(await send('GET', path, { ...session, host: 'evil.example' })).toBe(401);
  });
});
