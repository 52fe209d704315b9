import { expect, it } from 'vitest';
import { bearer, fakeGateway, fakeModule, json, jsonOf, LIMITS } from '../support/fake-modules.ts';

it('the steps refuse in the order of the guide, the cheapest first, and module code runs last', async () => {
  const module = fakeModule({
    manifest: { user_tier_access: ['premium'] },
    endpoints: {
      'POST /act': {
        permissions: ['act'],
        rateLimit: 2,
        schemas: {
          body: { type: 'object', required: ['a'] },
          query: { type: 'object', properties: { n: { type: 'integer' } } },
        },
        run: () => ({ ...json({}), status: 999 }),
      },
    },
  });
  const app = fakeGateway([module]);
  const bad = {
    path: '/api/v1/demo/%00?n=x',
    method: 'DELETE',
    body: 'x'.repeat(LIMITS.bodyBytes + 1),
    headers: { 'content-type': 'application/json', authorization: 'Bearer nonsense' } as Record<string, string>,
  };
  const codes: unknown[] = [];
  const ask = async () => {
    const { path, method, headers, body } = bad;
    headers['content-length'] = String(body.length);
    codes.push((await jsonOf(app.request(path, { method, headers, body }))).code);
  };

  await ask();
  bad.path = '/api/v1/demo/act?n=x';
  await ask();
  bad.method = 'POST';
  await ask();
  bad.body = '{broken';
  await ask();
  Object.assign(bad.headers, await bearer({ tier: 'basic' }));
  await ask();
  Object.assign(bad.headers, await bearer({ tier: 'premium' }));
  await ask();
  Object.assign(bad.headers, await bearer({ tier: 'premium', permissions: ['act'] }));
  await ask();
  bad.body = '{}';
  await ask();
  expect(module.calls).toEqual([]);
  bad.body = '{"a":1}';
  await ask();
  Object.assign(bad.headers, await bearer({ sub: 'bob', tier: 'premium', permissions: ['act'] }));
  bad.path = '/api/v1/demo/act?n=1';
  await ask();

  expect(codes).toEqual([
    'NOT_FOUND',
    'METHOD_NOT_ALLOWED',
    'PAYLOAD_TOO_LARGE',
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'FORBIDDEN',
    'MALFORMED_BODY',
    'INVALID_INPUT',
    'RATE_LIMITED',
    'INVALID_MODULE_RESPONSE',
  ]);
  expect(module.calls).toHaveLength(1);
});
