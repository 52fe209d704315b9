import type { ErrorCode } from '@plexichat/sdk/protocol/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import type { AuditEntry } from '../../runtime/management/audit.ts';
import { mountManagement } from '../../runtime/management/mount.ts';
import { askedBy } from '../../runtime/modules/grant-book.ts';
import { fakeDesk } from '../support/fake-desk.ts';
import { bearer, fakeGateway, fakeModule, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { type OperatorDesks, operatorDesks } from '../support/operator-desks.ts';

const GRANT = '/api/v1/modules/weather/grant';
const SECRETS = '/api/v1/modules/weather/secrets';
const KEY = `${SECRETS}/api_key`;
const ROTATE = '/api/v1/secrets/rotate';
const EVENTS = '/api/v1/security-events';

const weather = () =>
  fakeModule({
    name: 'weather',
    state: 'installed',
    endpoints: { 'GET /': {} },
    manifest: {
      required_permissions: ['http:api.example.com'],
      optional_permissions: ['users:read'],
      settings: { colour: 'green', smtp: { password: 'from-config' } },
      settings_schema: {
        properties: {
          api_key: { type: 'string', writeOnly: true, minLength: 3 },
          port: { type: 'integer', writeOnly: true },
          smtp: { properties: { password: { type: 'string', writeOnly: true } } },
          colour: { type: 'string' },
        },
      },
    },
  });

let desks: OperatorDesks;
let audited: AuditEntry[];
let errors: unknown[];
let gateway: ReturnType<typeof fakeGateway>;

beforeEach(async () => {
  audited = [];
  errors = [];
  desks = await operatorDesks({
    modules: [weather()],
    settings: { weather: ['database'] },
    async load(name, { registry }) {
      registry.add(fakeModule({ ...weather(), state: 'running', manifest: { ...registry.get(name)?.manifest } }));
    },
  });
  desks.registry.addBroken({ name: 'torn', reasons: ['The folder has no config.yaml.'] });
  gateway = fakeGateway([], {
    mount: (platform, tools) =>
      mountManagement(platform, tools, { ...desks, tasks: fakeDesk(), audit: (entry) => void audited.push(entry) }),
    onError: (error) => void errors.push(error),
  });
});

async function as(claims: TokenClaims, path: string, init: RequestInit = {}): Promise<Response> {
  return gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}
const reader = (path: string, init?: RequestInit) => as({ sub: 'rita', permissions: ['modules:read'] }, path, init);
const operator = (path: string, init?: RequestInit) =>
  as({ sub: 'olga', jti: 'token-1', permissions: ['modules:manage'] }, path, init);
const send = (method: string, body?: unknown): RequestInit =>
  body === undefined
    ? { method }
    : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };

async function refused(asked: Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asked;
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

describe('who may', () => {
  it.each([
    ['GET', '/api/v1/modules'],
    ['GET', '/api/v1/modules/weather'],
    ['POST', GRANT],
    ['GET', SECRETS],
    ['PUT', KEY],
    ['DELETE', KEY],
    ['POST', ROTATE],
    ['GET', EVENTS],
  ])('%s %s takes operators only, and is kept by nobody', async (method, path) => {
    await refused(Promise.resolve(gateway.request(path, { method })), 401, 'UNAUTHENTICATED');
    const permissions = ['read', 'write', 'modules', 'modules:*', '*'];
    const response = await as({ tier: 'admin', permissions }, path, { method });
    await refused(Promise.resolve(response), 403, 'FORBIDDEN');
    expect((await operator(path, { method })).headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['POST', GRANT],
    ['PUT', KEY],
    ['DELETE', KEY],
    ['POST', ROTATE],
  ])('%s %s is not for those who may only read', async (method, path) => {
    const { detail } = await refused(reader(path, send(method, {})), 403, 'FORBIDDEN');
    expect(detail).toContain('modules:manage');
    expect(audited).toEqual([]);
  });

  it.each([
    ['/api/v1/modules', 'GET, HEAD, POST'],
    ['/api/v1/modules/weather', 'GET, HEAD, DELETE'],
    [GRANT, 'POST'],
    [SECRETS, 'GET, HEAD'],
    [KEY, 'PUT, DELETE'],
    [ROTATE, 'POST'],
    [EVENTS, 'GET, HEAD'],
  ])('%s says which methods it knows', async (path, allow) => {
    const response = await operator(path, { method: 'PATCH' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  it('is asked too often is told when to come back', async () => {
    let response = await operator(ROTATE, { method: 'POST' });
    for (let count = 0; count < 6; count++) response = await operator(ROTATE, { method: 'POST' });
    await refused(Promise.resolve(response), 429, 'RATE_LIMITED');
    expect((await operator(GRANT, send('POST', { permissions: ['users:read'] }))).status).toBe(200);
  });
});

describe('modules', () => {
  it('are listed with what they ask for and were granted, and those that cannot be read', async () => {
    const { modules, broken } = await jsonOf<{ modules: unknown[]; broken: unknown }>(reader('/api/v1/modules'));
    expect(broken).toEqual([{ name: 'torn', reasons: ['The folder has no config.yaml.'] }]);
    expect(modules).toEqual([
      expect.objectContaining({
        name: 'weather',
        version: '1.0.0',
        state: 'installed',
        reasons: ['for operators only'],
        prefix: '/api/v1/weather',
        endpoints: 1,
        permissions: {
          asked: [
            {
              permission: 'http:api.example.com',
              risk: 'medium',
              sentence: 'Send data to, and read from, api.example.com.',
              required: true,
              granted: false,
            },
            expect.objectContaining({ permission: 'users:read', required: false, granted: false }),
          ],
          granted: [
            expect.objectContaining({ permission: 'database', source: 'plexi.yaml', granted_by: null, uses: 0 }),
          ],
          unused: ['database'],
          waits_for: ['http:api.example.com'],
        },
      }),
    ]);
    const one = await jsonOf(operator('/api/v1/modules/weather'));
    expect(one).toMatchObject({ ...(modules[0] as object), declares: { endpoints: [{}] } });
    expect(JSON.stringify([modules, one])).not.toContain('from-config');
  });

  it.each([
    ['nope', /GET \/api\/v1\/modules lists/],
    ['torn', /config\.yaml cannot be read/],
    ['..%2fweather', /encoded dot, slash/],
    ['Weather', /can be called/],
  ])('%s is not there', async (name, words) => {
    expect((await refused(reader(`/api/v1/modules/${name}`), 404, 'NOT_FOUND')).detail).toMatch(words);
  });
});

describe('granting', () => {
  it('what is asked for loads the module that waited, and is audited', async () => {
    const response = await operator(GRANT, send('POST', { permissions: ['http:api.example.com'] }));
    const answer = await jsonOf<{ state: string; permissions: { granted: { granted_by: string }[]; waits_for: [] } }>(
      response,
    );
    expect([response.status, answer.state, answer.permissions.waits_for]).toEqual([200, 'running', []]);
    expect(answer.permissions.granted[1]).toMatchObject({
      permission: 'http:api.example.com',
      sentence: 'Send data to, and read from, api.example.com.',
      risk: 'medium',
      source: 'operator',
      granted_by: 'olga',
    });
    expect(desks.loads).toEqual(['weather']);
    expect(audited).toEqual([
      {
        action: 'module.grant',
        operator: 'olga',
        credential: 'token-1',
        module: 'weather',
        permissions: ['http:api.example.com'],
        outcome: 'done',
        requestId: expect.any(String),
      },
    ]);
  });

  it('a part of what is required leaves it waiting', async () => {
    const answer = await jsonOf(operator(GRANT, send('POST', { permissions: ['users:read'] })));
    expect([answer.state, desks.loads]).toEqual(['installed', []]);
  });

  it('what is not asked for is refused by name', async () => {
    const asked = operator(GRANT, send('POST', { permissions: ['http:evil.example.com', 'users:read'] }));
    const { detail } = await refused(asked, 422, 'INVALID_INPUT');
    expect(detail).toBe(
      'weather does not ask for http:evil.example.com, so it cannot be granted; it asks for http:api.example.com, users:read.',
    );
    expect(desks.grants.granted('weather')).toHaveLength(1);
    expect(audited.map(({ outcome }) => outcome)).toEqual(['INVALID_INPUT']);
  });

  it.each([
    [undefined, '/body'],
    [{}, '/body'],
    [{ permissions: [] }, '/body/permissions'],
    [{ permissions: ['users:read'], revoke: ['users:read'] }, '/body'],
    [{ permissions: 'users:read' }, '/body/permissions'],
    [{ permissions: ['root'] }, '/body/permissions/0'],
    [{ permissions: [7] }, '/body/permissions/0'],
    [{ permissions: Array(200).fill('users:read') }, '/body/permissions'],
    [{ permissions: ['users:read'], force: true }, '/body/force'],
    [{ revoke: ['http:1.2.3.4'] }, '/body/revoke/0'],
  ])('%j is refused at %s', async (body, path) => {
    const problem = await refused(operator(GRANT, send('POST', body)), 422, 'INVALID_INPUT');
    expect(problem.errors?.map((issue) => issue.path)).toContain(path);
    expect(desks.grants.granted('weather')).toHaveLength(1);
  });

  it('what was granted can be taken back, what plexi.yaml grants cannot', async () => {
    await operator(GRANT, send('POST', { permissions: ['users:read'] }));
    const answer = await jsonOf<{ permissions: { granted: unknown[] } }>(
      operator(GRANT, send('POST', { revoke: ['users:read'] })),
    );
    expect(answer.permissions.granted).toHaveLength(1);
    const { detail } = await refused(operator(GRANT, send('POST', { revoke: ['database'] })), 422, 'INVALID_INPUT');
    expect(detail).toContain('plexi.yaml');
    expect(audited.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['module.grant', 'done'],
      ['module.revoke', 'done'],
      ['module.revoke', 'INVALID_INPUT'],
    ]);
  });

  it('of a module that is not there any more can be found and taken back', async () => {
    const manifest = { ...weather().manifest, module_name: 'gone' };
    const GONE = '/api/v1/modules/gone/grant';
    await desks.grants.grant(manifest, askedBy(manifest), 'olga');
    const { detail } = await refused(reader('/api/v1/modules/gone'), 404, 'NOT_FOUND');
    expect(detail).toContain('what was granted to it is kept, and can be revoked: http:api.example.com, users:read');
    await refused(operator(GONE, send('POST', { permissions: ['users:read'] })), 404, 'NOT_FOUND');
    const response = await operator(GONE, send('POST', { revoke: ['users:read'] }));
    expect(await response.json()).toMatchObject({
      name: 'gone',
      state: 'removed',
      permissions: { asked: [], granted: [{ permission: 'http:api.example.com', granted_by: 'olga' }] },
    });
    await operator(GONE, send('POST', { revoke: ['http:api.example.com'] }));
    await refused(operator(GONE, send('POST', { revoke: ['users:read'] })), 404, 'NOT_FOUND');
  });

  it('for a version that is just being replaced is refused, and says for which to look', async () => {
    await desks.grants.admit({ ...weather().manifest, module_version: '2.0.0' });
    const { detail } = await refused(
      operator(GRANT, send('POST', { permissions: ['users:read'] })),
      503,
      'MODULE_UNAVAILABLE',
    );
    expect(detail).toContain('Version 2.0.0 of weather is being loaded');
    expect(desks.grants.kept('weather')).toEqual([]);
  });

  it('is refused while the state is away, and nothing is in force then', async () => {
    desks.state.isAway = true;
    await refused(operator(GRANT, send('POST', { permissions: ['users:read'] })), 503, 'STATE_UNAVAILABLE');
    expect(desks.grants.granted('weather')).toHaveLength(1);
  });

  it('needs a JSON body: a form of another site is no request', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = { method: 'POST', headers, body: 'permissions=users:read' };
    expect((await operator(GRANT, init)).status).toBe(400);
  });
});

describe('secrets', () => {
  const VALUE = 'open-sesame-4711';

  it('are set, shown as ***, and put in force; their value is in no answer, no audit line and not in the state', async () => {
    const put = await operator(KEY, send('PUT', { value: VALUE }));
    expect([put.status, await put.clone().json()]).toEqual([
      200,
      { module: 'weather', setting: 'api_key', value: '***' },
    ]);
    const list = await reader(SECRETS);
    expect(await list.clone().json()).toEqual({
      secrets: [
        { setting: 'api_key', value: '***', source: 'vault', set_by: 'olga', set_at: expect.any(String) },
        { setting: 'port', value: null, source: null, set_by: null, set_at: null },
        { setting: 'smtp.password', value: '***', source: 'config.yaml or environment', set_by: null, set_at: null },
      ],
    });
    expect(desks.refreshes).toEqual(['weather']);
    const all = [await put.text(), await list.text(), await (await operator('/api/v1/modules')).text()];
    expect(JSON.stringify([all, audited, errors, desks.state.dump()])).not.toContain(VALUE);
    expect(audited).toMatchObject([{ action: 'secret.set', module: 'weather', setting: 'api_key', outcome: 'done' }]);
    expect(await desks.vault.read('weather')).toEqual(new Map([['api_key', JSON.stringify(VALUE)]]));
  });

  it('are removed', async () => {
    await operator(KEY, send('PUT', { value: VALUE }));
    const response = await operator(KEY, { method: 'DELETE' });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await desks.vault.list('weather')).toEqual([]);
    await refused(operator(KEY, { method: 'DELETE' }), 404, 'NOT_FOUND');
    expect(desks.refreshes).toEqual(['weather', 'weather']);
  });

  it.each([
    { value: 'x4' },
    { value: 74_611_000 },
    { value: '' },
    { value: '\ud800 7461' },
    { value: { deep: '7461' } },
    { value: '7461'.repeat(5_000) },
    { value: 'fine', '7461': 1 },
    {},
  ])('that are not valid are refused, and not repeated: %j', async (body) => {
    const response = await operator(KEY, send('PUT', body));
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([422, 'INVALID_INPUT']);
    if (!('7461' in body)) expect(text).not.toMatch(/7461|x4/);
    expect(await desks.vault.list('weather')).toEqual([]);
  });

  it('whose body is no JSON are not repeated either', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await operator(KEY, { method: 'PUT', headers, body: `{"value": "${VALUE}` });
    expect([response.status, (await response.text()).includes('sesame')]).toEqual([400, false]);
    expect(JSON.stringify([errors, audited])).not.toContain('sesame');
  });

  it('of a module that is not there any more are shown, as everywhere without their values', async () => {
    await desks.vault.set('gone', 'api_key', '"s3cret"', 'olga');
    const { secrets } = await jsonOf<{ secrets: unknown[] }>(reader('/api/v1/modules/gone/secrets'));
    const set_at = expect.stringMatching(/Z$/);
    expect(secrets).toEqual([{ setting: 'api_key', value: '***', source: 'vault', set_by: 'olga', set_at }]);
    await refused(reader('/api/v1/modules/never_there/secrets'), 404, 'NOT_FOUND');
  });

  it('of a module that is not there any more can be removed', async () => {
    await desks.vault.set('gone', 'api_key', '"s3cret"', 'olga');
    const key = '/api/v1/modules/gone/secrets/api_key';
    expect((await operator(key, { method: 'DELETE' })).status).toBe(204);
    await refused(operator(key, { method: 'DELETE' }), 404, 'NOT_FOUND');
  });

  it.each(['colour', 'nope', 'smtp', '__proto__', 'constructor', 'smtp.password.x', 'api_key.'])(
    'are not what the schema does not call so: %s',
    async (setting) => {
      const { detail } = await refused(
        operator(`${SECRETS}/${setting}`, send('PUT', { value: VALUE })),
        404,
        'NOT_FOUND',
      );
      expect(detail).toContain('it has api_key, port, smtp.password');
    },
  );

  it('of a module that is not there are not kept', async () => {
    await refused(operator('/api/v1/modules/nope/secrets/api_key', send('PUT', { value: VALUE })), 404, 'NOT_FOUND');
    expect(desks.state.dump()).not.toContain('nope');
  });

  it('are sealed anew with a new key', async () => {
    await operator(KEY, send('PUT', { value: VALUE }));
    const before = desks.state.dump();
    const response = await operator(ROTATE, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([200, { sealed: 1 }]);
    expect(desks.state.dump()).not.toBe(before);
    expect(await desks.vault.read('weather')).toEqual(new Map([['api_key', JSON.stringify(VALUE)]]));
    expect(audited.at(-1)).toMatchObject({ action: 'secrets.rotate', outcome: 'done' });
  });
});

describe('security events', () => {
  it('are shown newest first, by module, page by page', async () => {
    for (const details of ['a', 'b', 'c']) {
      desks.securityEvents.record('weather', { kind: 'reported', name: 'login.failed', details });
    }
    desks.securityEvents.record('mail', { kind: 'bridge_violation', name: 'bridge', details: 'd' });
    type Page = { events: { details: string; at: string }[]; next: number | null };
    const all = await jsonOf<Page>(reader(EVENTS));
    expect([all.events.map(({ details }) => details), all.next]).toEqual([['d', 'c', 'b', 'a'], null]);
    expect(all.events[0]).toEqual({
      id: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      module: 'mail',
      kind: 'bridge_violation',
      name: 'bridge',
      details: 'd',
      count: 1,
    });
    const first = await jsonOf<Page>(reader(`${EVENTS}?module=weather&limit=2`));
    expect(first.events.map(({ details }) => details)).toEqual(['c', 'b']);
    const rest = await jsonOf<Page>(reader(`${EVENTS}?module=weather&limit=2&before=${first.next}`));
    expect([rest.events.map(({ details }) => details), rest.next]).toEqual([['a'], null]);
  });

  it.each([
    ['?modul=weather', '/query/modul'],
    ['?module=../etc', '/query/module'],
    ['?limit=0', '/query/limit'],
    ['?limit=201', '/query/limit'],
    ['?before=x', '/query/before'],
    ['?before=-1', '/query/before'],
  ])('%s is refused', async (query, path) => {
    const { errors: issues } = await refused(reader(EVENTS + query), 422, 'INVALID_INPUT');
    expect(issues?.map((issue) => issue.path)).toContain(path);
  });
});
