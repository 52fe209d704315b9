import * as sdk from '@plexichat/sdk';
import { checkPermissions, getUserTier } from '@plexichat/sdk';
import { createSdk } from '@plexichat/sdk/guest';
import { createModuleHarness } from '@plexichat/sdk/testing';
import { plexichat } from '@plexichat/sdk/testing/vitest';
import { describe, expect, it } from 'vitest';
import { loadAuthorCode } from '../support/author-module.ts';

const WEATHER = `
import { BaseModule, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';
export default class Weather extends BaseModule {
  @moduleEndpoint('GET /weather/:city', { permissions: ['read'], userTiers: ['premium', 'admin'] })
  async weather({ params }) {
    const reply = await this.http.fetch('https://api.test/?q=' + params.city + '&key=' + this.config.settings.api_key);
    if (!reply.ok) throw new HttpError(404, 'City not found');
    return { city: params.city, ...(await reply.json()) };
  }
  @moduleEndpoint('GET /top', { query: Type.Object({ limit: Type.Integer({ maximum: 5 }) }) })
  top({ query }) { return query; }
  @moduleEndpoint('POST /notes', { body: Type.Object({ title: Type.String() }) })
  note({ body, user, json }) { return json({ ...body, by: user.id }, 201, { location: '/notes/1' }); }
}`;

async function weather(options: object = {}) {
  const { default: Module } = await loadAuthorCode(WEATHER);
  return createModuleHarness(Module, {
    config: { settings: { api_key: 'k1' } },
    fakes: {
      http: (request: Request) =>
        request.url.includes('q=Bonn') ? Response.json({ asked: request.url }) : new Response('', { status: 404 }),
    },
    ...options,
  });
}

describe('createModuleHarness', () => {
  it('calls an endpoint with fakes, config and parameters', async () => {
    const harness = await weather();
    const answer = await harness.request('GET', '/weather/Bonn');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ city: 'Bonn', asked: 'https://api.test/?q=Bonn&key=k1' });
    expect(answer.headers.get('content-type')).toBe('application/json');
    await harness.close();
  });

  it('gives problems as the host does', async () => {
    const harness = await weather();
    const missing = await harness.request('GET', '/weather/Nowhere');
    expect([missing.status, missing.code, missing.json()]).toEqual([
      404,
      'MODULE_HTTP_ERROR',
      expect.objectContaining({ detail: 'City not found' }),
    ]);
    expect((await harness.request('GET', '/nope')).code).toBe('NOT_FOUND');
    expect((await harness.request('PUT', '/notes')).code).toBe('METHOD_NOT_ALLOWED');
    expect((await harness.request('GET', '/weather/Bonn', { user: null })).code).toBe('UNAUTHENTICATED');
    expect((await harness.request('GET', '/weather/Bonn', { user: { tier: 'basic' } })).code).toBe('FORBIDDEN');
    expect((await harness.request('GET', '/weather/Bonn', { user: { permissions: [] } })).code).toBe('FORBIDDEN');
    expect((await harness.request('POST', '/notes', { body: { title: 1 } })).code).toBe('INVALID_INPUT');
    expect((await harness.request('POST', '/notes')).code).toBe('INVALID_INPUT');
  });

  it('converts the query to the schema’s types', async () => {
    const harness = await weather();
    expect((await harness.request('GET', '/top', { query: { limit: '3' } })).json()).toEqual({ limit: 3 });
    expect((await harness.request('GET', '/top?limit=9')).code).toBe('INVALID_INPUT');
  });

  it('hands over body, user and a Response with its headers', async () => {
    const harness = await weather();
    const answer = await harness.request('POST', '/notes', { body: { title: 'x' }, user: { id: 'alice' } });
    expect([answer.status, answer.headers.get('location'), answer.json()]).toEqual([
      201,
      '/notes/1',
      { title: 'x', by: 'alice' },
    ]);
  });

  it('says which key of the config is wrong', async () => {
    await expect(weather({ config: { priority: 'high' } })).rejects.toThrow(/the config is not valid at \/priority/);
  });

  it('answers getUserTier and checkPermissions from the fakes', async () => {
    await weather({ fakes: { users: { bob: { tier: 'admin', permissions: ['a', 'b'] } } } });
    expect([await getUserTier('bob'), await getUserTier('eve')]).toEqual(['admin', null]);
    expect([
      await checkPermissions('bob', ['a']),
      await checkPermissions('bob', ['c']),
      await checkPermissions(null, ['a']),
    ]).toEqual([true, false, false]);
    expect(await checkPermissions({ id: 'x', tier: 'basic', permissions: ['c'] }, ['c'])).toBe(true);
  });
});

describe('the sdk in a bundle', () => {
  it('has the same values as the sdk that is imported', () => {
    const names = Object.keys(sdk).sort();
    expect(Object.keys(createSdk()).sort()).toEqual(names);
  });
});

describe('the Vite plugin for authors’ tests', () => {
  it('lowers decorators so that the code runs, and keeps the source map', async () => {
    const result = await plexichat().transform(WEATHER, '/project/module.ts?v=1');
    expect(result?.code).not.toMatch(/@moduleEndpoint/);
    expect(JSON.parse(result?.map ?? '{}').sources).toEqual(['/project/module.ts']);
  });

  it('leaves files without decorators, and dependencies, alone', async () => {
    expect(await plexichat().transform('export const a = 1;', '/project/a.ts')).toBeUndefined();
    expect(await plexichat().transform(WEATHER, '/project/node_modules/x/a.ts')).toBeUndefined();
  });
});
