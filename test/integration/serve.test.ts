import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';

let at: TestHost;

beforeAll(async () => {
  at = await startTestHost({ fixtures: ['steady', 'thrower', 'broken_config', 'broken_code', 'waiting'] });
});
afterAll(() => at.close());

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

describe('a module of a folder', () => {
  it('answers a caller with a token', async () => {
    const response = await at.fetch('/api/v1/steady/hello');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ hello: 'alice' });
    expect(response.headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/);
  });

  it('keeps its own state from one call to the next', async () => {
    const first = (await (await at.fetch('/api/v1/steady/hello')).json()) as { calls: number };
    const second = (await (await at.fetch('/api/v1/steady/hello')).json()) as { calls: number };
    expect(second.calls).toBe(first.calls + 1);
  });

  it('is closed to callers without a token', async () => {
    const response = await at.fetch('/api/v1/steady/hello', { token: null });
    expect(response.status).toBe(401);
    expect(await problem(response)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('is closed to callers of another tier, and says which tier it wants', async () => {
    const response = await at.fetch('/api/v1/steady/premium');
    expect(response.status).toBe(403);
    expect((await problem(response)).detail).toContain('premium');
  });

  it('is closed to callers without the permission, and names it', async () => {
    const response = await at.fetch('/api/v1/steady/notes', {
      method: 'POST',
      body: '{"title":"x"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(403);
    expect((await problem(response)).detail).toContain('write');
  });

  it('answers 429 with Retry-After over its limit', async () => {
    const token = await at.token({ sub: 'eager' });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let count = 0; count < 3; count++) {
      last = await at.fetch('/api/v1/steady/limited', { token });
      statuses.push(last.status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('answers 422 that names the field of a bad body', async () => {
    const token = await at.token({ permissions: ['write'] });
    const response = await at.fetch('/api/v1/steady/notes', {
      token,
      method: 'POST',
      body: '{"title":"","stars":9}',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(422);
    const { errors } = await problem(response);
    expect((errors as { path: string }[]).map(({ path }) => path).sort()).toEqual(['/body/stars', '/body/title']);
  });

  it('gets a valid body with its defaults filled in', async () => {
    const token = await at.token({ permissions: ['write'] });
    const response = await at.fetch('/api/v1/steady/notes', {
      token,
      method: 'POST',
      body: '{"title":"x"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ saved: { title: 'x', stars: 3 } });
  });

  it('keeps the status of an HttpError', async () => {
    const response = await at.fetch('/api/v1/steady/teapot');
    expect(response.status).toBe(418);
    expect(await problem(response)).toMatchObject({ code: 'MODULE_HTTP_ERROR', detail: 'Short and stout' });
  });

  it('answers 204 for nothing', async () => {
    expect((await at.fetch('/api/v1/steady/nothing')).status).toBe(204);
  });

  it('sees neither cookies nor credentials of its callers', async () => {
    const seen = await (
      await at.fetch('/api/v1/steady/headers', { headers: { cookie: 'a=b', 'x-custom': 'yes' } })
    ).json();
    expect(seen).toMatchObject({ 'x-custom': 'yes' });
    expect(Object.keys(seen as object)).not.toEqual(expect.arrayContaining(['cookie']));
    expect(JSON.stringify(seen)).not.toContain('Bearer');
  });

  it('streams a body in and out again', async () => {
    const body = new Uint8Array(1_500_000).map((_byte, index) => index % 251);
    const response = await at.fetch('/api/v1/steady/echo', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/octet-stream' },
    });
    expect(response.status).toBe(200);
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), Buffer.from(body))).toBe(0);
  });

  it('answers more JSON than fits in one frame of the bridge', async () => {
    const answer = (await (await at.fetch('/api/v1/steady/large')).json()) as { text: string };
    expect(answer.text.length).toBe(700_000);
  });

  it('holds placeholders where its secret settings are', async () => {
    const { settings } = (await (await at.fetch('/api/v1/steady/settings')).json()) as {
      settings: Record<string, unknown>;
    };
    expect(settings).toMatchObject({ colour: 'green', key: '{{secret.key}}' });
  });

  it('does not reach the network without a grant', async () => {
    const response = await at.fetch('/api/v1/steady/outside');
    expect(response.status).toBe(500);
    expect(at.lines.some(({ err }) => JSON.stringify(err ?? '').includes('http:example.com'))).toBe(true);
  });
});

describe('a module that fails', () => {
  it('answers 500 without its stack and without its message', async () => {
    const response = await at.fetch('/api/v1/thrower/throw');
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ code: 'MODULE_ERROR' });
    expect(body).not.toMatch(/hunter2|module\.(ts|js)|at /);
  });

  it('answers 502 for what JSON cannot carry', async () => {
    const response = await at.fetch('/api/v1/thrower/circle');
    expect(response.status).toBe(502);
    expect(await problem(response)).toMatchObject({ code: 'INVALID_MODULE_RESPONSE' });
  });

  it('sets no cookie and no security header, and its HTML is sandboxed', async () => {
    const response = await at.fetch('/api/v1/thrower/cookie');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-accel-redirect')).toBeNull();
    expect(response.headers.get('content-security-policy')).toBe('sandbox allow-scripts allow-forms');
  });

  it('finds no process, no require and no evaluator', async () => {
    expect(await (await at.fetch('/api/v1/thrower/exit')).json()).toEqual(['undefined', 'undefined', 'EvalError']);
  });
});

describe('a broken folder', () => {
  it('does not stop the others and says what is wrong with line and column', () => {
    const [broken] = at.host.registry.broken;
    expect(broken?.name).toBe('broken_config');
    const reasons = broken?.reasons.join('\n') ?? '';
    expect(reasons).toMatch(/broken_config\/config\.yaml:1:\d+ module_name/);
    expect(reasons).toMatch(/broken_config\/config\.yaml:2:\d+ modul_version/);
  });

  it('shows up as failed when its code cannot be bundled', async () => {
    const module = at.host.registry.list().find(({ name }) => name === 'broken_code');
    expect(module?.state).toBe('failed');
    expect(module?.reasons.join()).toMatch(/module\.ts:1:\d+.*node:fs/);
    const response = await at.fetch('/api/v1/broken_code/anything');
    expect(response.status).toBe(503);
    expect(await problem(response)).toMatchObject({ code: 'MODULE_UNAVAILABLE' });
  });

  it('waits in installed while a permission that it requires is not granted', async () => {
    const module = at.host.registry.list().find(({ name }) => name === 'waiting');
    expect(module?.state).toBe('installed');
    expect(module?.reasons.join()).toContain('http:api.example.com');
    expect((await at.fetch('/api/v1/waiting/anything')).status).toBe(503);
  });
});

describe('the host', () => {
  it('describes the endpoints of its modules before any of them has booted', async () => {
    const { paths } = (await (await at.fetch('/openapi.json')).json()) as { paths: Record<string, unknown> };
    expect(Object.keys(paths)).toContain('/api/v1/thrower/throw');
  });

  it('is healthy and ready', async () => {
    expect((await at.fetch('/healthz', { token: null })).status).toBe(200);
    expect((await at.fetch('/readyz', { token: null })).status).toBe(200);
  });

  it('keeps its folder to itself', async () => {
    const { stat } = await import('node:fs/promises');
    expect((await stat(at.data)).mode & 0o777).toBe(0o700);
    expect((await stat(`${at.data}/token.secret`)).mode & 0o777).toBe(0o600);
  });
});
