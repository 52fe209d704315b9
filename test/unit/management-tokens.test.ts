import type { ErrorCode } from '@plexichat/sdk/protocol/errors';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import { bearer, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { type TokenEdge, tokenEdge } from '../support/token-host.ts';

const TOKENS = '/api/v1/tokens';
const NOBODYS = `${TOKENS}/tok_0b54a2f1-6f0e-4c4e-9a54-2f5f3c1d7e90`;

let edge: TokenEdge;
beforeEach(async () => {
  edge = await tokenEdge();
});

async function as(claims: TokenClaims, path: string, init: RequestInit = {}): Promise<Response> {
  return edge.gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}
const reader = (path: string, init?: RequestInit) =>
  as({ sub: 'rita', permissions: ['modules:read', 'read'] }, path, init);
const operator = (path: string, init?: RequestInit) =>
  as({ sub: 'olga', jti: 'token-1', tier: 'premium', permissions: ['modules:manage', 'read'] }, path, init);
const send = (method: string, body?: unknown): RequestInit =>
  body === undefined
    ? { method }
    : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };

interface View {
  readonly id: string;
  readonly credential: string;
  readonly [key: string]: unknown;
}
async function make(body: object = {}): Promise<View> {
  const response = await operator(TOKENS, send('POST', { name: 'reports', permissions: ['read'], ...body }));
  expect(response.status).toBe(201);
  return jsonOf<View>(response);
}
const list = async () => jsonOf<{ tokens: View[]; next: string | null }>(operator(TOKENS));

async function refused(asked: Response | Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asked;
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

describe('who may', () => {
  it.each([
    ['GET', TOKENS],
    ['POST', TOKENS],
    ['DELETE', NOBODYS],
  ])('%s %s takes operators only', async (method, path) => {
    await refused(edge.gateway.request(path, { method }), 401, 'UNAUTHENTICATED');
    for (const permission of ['read', 'modules:*', '*', 'Modules:manage', 'tokens:manage']) {
      await refused(as({ tier: 'admin', permissions: [permission] }, path, { method }), 403, 'FORBIDDEN');
    }
  });

  it('who may read modules sees tokens, makes none and revokes none', async () => {
    const { id } = await make();
    expect((await reader(TOKENS)).status).toBe(200);
    await refused(reader(TOKENS, send('POST', { name: 'mine', permissions: ['read'] })), 403, 'FORBIDDEN');
    await refused(reader(TOKENS, send('POST', { name: 'mine', permissions: [] })), 403, 'FORBIDDEN');
    await refused(reader(`${TOKENS}/${id}`, { method: 'DELETE' }), 403, 'FORBIDDEN');
    expect((await list()).tokens).toMatchObject([{ revoked_at: null }]);
  });

  it('other methods are refused with those that are allowed', async () => {
    for (const [path, allow] of [
      [TOKENS, 'GET, HEAD, POST'],
      [NOBODYS, 'DELETE'],
    ] as const) {
      const response = await operator(path, send('PATCH'));
      expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    }
  });
});

describe('POST tokens', () => {
  it('makes a token, shows it once, and keeps it nowhere', async () => {
    const { credential, id, ...rest } = await make({ sub: 'robot', tier: 'premium', lifetime: 3600 });
    expect(rest).toMatchObject({
      ...{ kind: 'token', name: 'reports', sub: 'robot', tier: 'premium', permissions: ['read'], prefix: null },
      ...{ made_by: 'olga', made_with: 'token-1', used_at: null, revoked_at: null, revoked_by: null },
    });
    expect(decodeJwt(credential).jti).toBe(id);
    expect(JSON.stringify(await list())).not.toContain(credential);
    expect(edge.state.dump()).not.toContain(credential);
    const response = await edge.gateway.request('/api/v1/demo/read', {
      headers: { authorization: `Bearer ${credential}` },
    });
    expect(response.status).toBe(200);
  });

  it('makes an API key, and shows its hash to nobody', async () => {
    const { credential, prefix } = await make({ kind: 'api_key' });
    expect(credential.startsWith(String(prefix))).toBe(true);
    const shown = JSON.stringify(await list());
    expect(shown).toContain(prefix);
    expect(shown).not.toMatch(/[0-9a-f]{64}/);
    expect(shown).not.toContain(credential.slice(14));
    const headers = { 'x-api-key': credential };
    expect((await edge.gateway.request('/api/v1/demo/read', { headers })).status).toBe(200);
    expect(edge.state.dump()).not.toContain(credential.slice(14));
  });

  it('is kept by no cache', async () => {
    const response = await operator(TOKENS, send('POST', { name: 'reports', permissions: [] }));
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['no body', undefined],
    ['no name', { permissions: [] }],
    ['no permissions', { name: 'a' }],
    ['another key', { name: 'a', permissions: [], id: 'tok_mine' }],
    ['a hash', { name: 'a', permissions: [], sha256: 'a'.repeat(64) }],
    ['a line break in its name', { name: 'a\nb', permissions: [] }],
    ['a line break in its user', { name: 'a', sub: 'a\nb', permissions: [] }],
    ['an empty user', { name: 'a', sub: '', permissions: [] }],
    ['an unknown tier', { name: 'a', tier: 'root', permissions: [] }],
    ['an unknown kind', { name: 'a', kind: 'cookie', permissions: [] }],
    ['no lifetime', { name: 'a', lifetime: 0, permissions: [] }],
    ['half a lifetime', { name: 'a', lifetime: 0.5, permissions: [] }],
    ['a token for two years', { name: 'a', lifetime: 2 * 365 * 86_400, permissions: [] }],
    ['a key for a lifetime', { name: 'a', kind: 'api_key', lifetime: 1e9, permissions: [] }],
    ['permissions as text', { name: 'a', permissions: 'read' }],
    ['too many permissions', { name: 'a', permissions: Array.from({ length: 65 }, () => 'read') }],
    ['a name of a megabyte', { name: 'a'.repeat(60_000), permissions: [] }],
  ])('refuses %s, and tries nothing', async (_name, body) => {
    const problem = await refused(operator(TOKENS, send('POST', body)), 422, 'INVALID_INPUT');
    expect(problem.errors?.[0]?.path).toMatch(/^\/body/);
    expect((await list()).tokens).toEqual([]);
    expect(edge.audited).toEqual([]);
  });

  it('refuses a body that is too large, or no JSON', async () => {
    await refused(operator(TOKENS, send('POST', { name: 'a'.repeat(70_000) })), 413, 'PAYLOAD_TOO_LARGE');
    const form = { method: 'POST', body: 'name=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    await refused(operator(TOKENS, form), 400, 'MALFORMED_BODY');
  });

  it('refuses what goes beyond its maker, and writes that down', async () => {
    const body = { name: 'more', sub: 'robot', permissions: ['read', 'modules:read'] };
    const problem = await refused(operator(TOKENS, send('POST', body)), 403, 'FORBIDDEN');
    expect(problem.detail).toContain('you lack "modules:read"');
    expect(edge.audited).toMatchObject([{ action: 'token.create', sub: 'robot', outcome: 'FORBIDDEN' }]);
    await refused(operator(TOKENS, send('POST', { name: 'up', tier: 'admin', permissions: [] })), 403, 'FORBIDDEN');
  });

  it('does not make more of a token than it was itself', async () => {
    const { credential } = await make({ permissions: ['modules:manage'] });
    const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json' };
    const again = (body: object) =>
      edge.gateway.request(TOKENS, { method: 'POST', headers, body: JSON.stringify({ name: 'again', ...body }) });
    await refused(again({ permissions: ['read'] }), 403, 'FORBIDDEN');
    await refused(again({ permissions: [], tier: 'premium' }), 403, 'FORBIDDEN');
    expect((await again({ permissions: ['modules:manage'] })).status).toBe(201);
  });
});

describe('DELETE tokens/:id', () => {
  it.each(['token', 'api_key'])('refuses a %s from then on', async (kind) => {
    const { id, credential } = await make({ kind });
    const headers: Record<string, string> =
      kind === 'token' ? { authorization: `Bearer ${credential}` } : { 'x-api-key': credential };
    const use = () => edge.gateway.request('/api/v1/demo/read', { headers });
    expect((await use()).status).toBe(200);
    expect((await operator(`${TOKENS}/${id}`, { method: 'DELETE' })).status).toBe(204);
    const problem = await refused(use(), 401, 'UNAUTHENTICATED');
    expect(JSON.stringify(problem)).not.toContain(credential);
    expect((await operator(`${TOKENS}/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await list()).tokens).toMatchObject([{ id, revoked_by: 'olga' }]);
  });

  it.each(['tok_', 'tok_../../modules', 'plexi_my-key', 'x'.repeat(300), '%00'])('finds nothing at %s', async (id) => {
    const problem = await refused(
      operator(`${TOKENS}/${encodeURIComponent(id)}`, { method: 'DELETE' }),
      404,
      'NOT_FOUND',
    );
    expect(problem.detail).not.toContain(id);
    expect(edge.audited).toEqual([]);
  });

  it('does not find what nobody made', async () => {
    await refused(operator(NOBODYS, { method: 'DELETE' }), 404, 'NOT_FOUND');
  });
});

describe('GET tokens', () => {
  it('goes page by page', async () => {
    for (const name of ['a', 'b', 'c']) await make({ name });
    const first = await jsonOf<{ tokens: View[]; next: string }>(operator(`${TOKENS}?limit=2`));
    const second = await jsonOf<{ tokens: View[]; next: null }>(operator(`${TOKENS}?limit=2&before=${first.next}`));
    expect([...first.tokens, ...second.tokens].map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
    expect(second.next).toBeNull();
  });

  it.each(['limit=0', 'limit=100000', 'before=x', 'sub=olga', 'access_token=x'])('refuses ?%s', async (query) => {
    await refused(operator(`${TOKENS}?${query}`), 422, 'INVALID_INPUT');
  });
});

it('each action leaves one entry that says who, whose and what, and nothing secret', async () => {
  const { id, credential, prefix } = await make({ kind: 'api_key', sub: 'robot' });
  await operator(`${TOKENS}/${id}`, { method: 'DELETE' });
  expect(edge.audited).toMatchObject([
    {
      ...{ action: 'token.create', operator: 'olga', credential: 'token-1', outcome: 'done' },
      ...{ token: id, sub: 'robot', permissions: ['read'] },
    },
    { action: 'token.revoke', operator: 'olga', outcome: 'done', token: id },
  ]);
  const text = JSON.stringify(edge.audited);
  expect(text).not.toContain(credential);
  expect(text).not.toContain(prefix);
  expect(text).not.toMatch(/[0-9a-f]{64}/);
});
