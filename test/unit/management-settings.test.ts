import { type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../runtime/gateway/problem.ts';
import type { AuditEntry } from '../../runtime/management/audit.ts';
import { settingsRoutes } from '../../runtime/management/settings-routes.ts';
import type { SettingsView } from '../../runtime/modules/settings-view.ts';
import { bearer, fakeGateway, fakeModule, jsonOf, type TokenClaims } from '../support/fake-modules.ts';
import { type OperatorDesks, operatorDesks } from '../support/operator-desks.ts';

const SETTINGS = '/api/v1/modules/weather/settings';
const SECRET = 'open-sesame';

let desks: OperatorDesks;
let audited: AuditEntry[];
let gateway: ReturnType<typeof fakeGateway>;

beforeEach(async () => {
  audited = [];
  const weather = fakeModule({
    name: 'weather',
    manifest: {
      settings: { city: 'Bonn' },
      settings_schema: {
        properties: {
          city: { type: 'string' },
          days: { type: 'integer', maximum: 14 },
          api_key: { type: 'string', writeOnly: true, minLength: 6 },
        },
      },
    },
  });
  desks = await operatorDesks({ modules: [weather] });
  gateway = fakeGateway([], {
    mount: (platform, { authenticate }) =>
      void platform.route(
        '/api/v1/modules',
        settingsRoutes({ authenticate, settings: desks.settings, audit: (entry) => void audited.push(entry) }),
      ),
  });
});

async function as(claims: TokenClaims, init: RequestInit = {}, path = SETTINGS): Promise<Response> {
  return gateway.request(path, { ...init, headers: { ...(init.headers as object), ...(await bearer(claims)) } });
}
const reader = (init?: RequestInit) => as({ sub: 'rita', permissions: ['modules:read'] }, init);
const operator = (init?: RequestInit, path?: string) =>
  as({ sub: 'olga', permissions: ['modules:manage'] }, init, path);
const put = (body: unknown): RequestInit => ({
  method: 'PUT',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

async function refused(asked: Promise<Response>, status: number, code: ErrorCode): Promise<Problem> {
  const response = await asked;
  const problem = await jsonOf<Problem>(response);
  expect([response.status, problem.code], problem.detail).toEqual([status, code]);
  return problem;
}

describe('who may', () => {
  it('readers see settings, and change none', async () => {
    const response = await reader();
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    await refused(reader(put({ values: { city: 'Ulm' } })), 403, 'FORBIDDEN');
    await refused(Promise.resolve(gateway.request(SETTINGS)), 401, 'UNAUTHENTICATED');
    await refused(as({ tier: 'admin', permissions: ['read', 'write', '*'] }), 403, 'FORBIDDEN');
    expect(audited).toEqual([]);
  });

  it('other methods are refused by name', async () => {
    const response = await operator({ method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT']);
  });
});

describe('changing settings', () => {
  it('keeps them, tells the module once, and leaves one audit entry without values', async () => {
    const response = await operator(put({ values: { city: 'Ulm', days: 7, api_key: SECRET } }));
    const changed = await jsonOf<SettingsView>(response);
    expect(response.status).toBe(200);
    expect(changed).toMatchObject({
      module: 'weather',
      version: '1.0.0',
      values: { city: 'Ulm', days: 7, api_key: '***' },
      sources: { city: 'operator', days: 'operator', api_key: 'vault' },
      set_by: 'olga',
      effect: 'live',
      state: 'running',
    });
    expect(desks.refreshes).toEqual(['weather']);
    expect(audited).toMatchObject([
      {
        action: 'settings.change',
        module: 'weather',
        settings: ['city', 'days', 'api_key'],
        operator: 'olga',
        outcome: 'done',
      },
    ]);
    expect((await desks.vault.read('weather')).get('api_key')).toBe(JSON.stringify(SECRET));
    expect(JSON.stringify([audited, changed]) + desks.state.dump()).not.toContain(SECRET);
    expect(JSON.stringify(audited)).not.toContain('Ulm');
  });

  it('takes back what it is told to, also from the vault', async () => {
    await operator(put({ values: { city: 'Ulm', api_key: SECRET } }));
    const back = await jsonOf<SettingsView>(await operator(put({ values: { city: null, api_key: null } })));
    expect(back.values).not.toHaveProperty('api_key');
    expect(back).toMatchObject({ values: { city: 'Bonn' }, sources: { city: 'config.yaml' } });
    expect((await desks.vault.read('weather')).size).toBe(0);
  });

  it('changes nothing at all when one of them is wrong, and says which', async () => {
    const { errors } = await refused(
      operator(put({ values: { city: 'Ulm', days: 99, api_key: 'short' } })),
      422,
      'INVALID_INPUT',
    );
    expect(errors?.map(({ path }) => path)).toEqual(['/body/values/api_key', '/body/values/days']);
    expect(JSON.stringify(errors)).not.toContain('short');
    expect(await jsonOf(await reader())).toMatchObject({ values: { city: 'Bonn' }, set_by: null });
    expect((await desks.vault.list('weather')).length).toBe(0);
    expect(desks.refreshes).toEqual([]);
    expect(audited).toMatchObject([{ action: 'settings.change', outcome: 'INVALID_INPUT' }]);
  });

  it('two at once are both kept', async () => {
    await Promise.all([operator(put({ values: { city: 'Ulm' } })), operator(put({ values: { days: 9 } }))]);
    expect(await jsonOf(await reader())).toMatchObject({ values: { city: 'Ulm', days: 9 } });
  });

  it.each([
    ['no body', ''],
    ['no values', {}],
    ['a list', { values: [] }],
    ['text', { values: 'x' }],
    ['null', { values: null }],
    ['more than values', { values: {}, version: '2.0.0' }],
  ])('refuses %s', async (_what, body) => {
    await refused(operator(put(body)), 422, 'INVALID_INPUT');
    expect(desks.refreshes).toEqual([]);
  });

  it.each([
    ['what is no JSON', '{"values":', 400, 'MALFORMED_BODY'],
    ['what is too large', JSON.stringify({ values: { city: 'x'.repeat(600_000) } }), 413, 'PAYLOAD_TOO_LARGE'],
    ['what is too deep', `{"values":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`, 422, 'INVALID_INPUT'],
    ['keys of the prototype', '{"values":{"__proto__":{"polluted":true}}}', 422, 'INVALID_INPUT'],
  ] as const)('refuses %s', async (_what, body, status, code) => {
    await refused(operator(put(body)), status, code);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('knows no module that is not there', async () => {
    await refused(operator(undefined, '/api/v1/modules/nobody/settings'), 404, 'NOT_FOUND');
    await refused(operator(undefined, '/api/v1/modules/..%2Ftokens/settings'), 404, 'NOT_FOUND');
    await refused(operator(undefined, `${SETTINGS}?version=2`), 422, 'INVALID_INPUT');
  });

  it('sets secrets and the rest in one go, or nothing of it', async () => {
    await operator(put({ values: { city: 'Ulm', api_key: 'first-one' } }));
    const { run } = desks.state;
    let writes = 0;
    desks.state.run = async (statements) => {
      const isWrite = statements.some(({ sql }) => /INTO (module_settings|secrets)/.test(sql));
      if (isWrite && ++writes > 1) throw new PlexiError('STATE_UNAVAILABLE', 'The disk is full.');
      return run(statements);
    };
    const values = { city: 'Bonn', api_key: 'second-one' };
    expect((await operator(put({ values }))).status).toBe(200);
    await refused(operator(put({ values: { city: 'Rome', api_key: 'third-one' } })), 503, 'STATE_UNAVAILABLE');
    desks.state.run = run;
    expect(await desks.vault.read('weather')).toEqual(new Map([['api_key', '"second-one"']]));
    expect((await jsonOf<SettingsView>(await operator())).values).toMatchObject({ city: 'Bonn' });
    expect(writes).toBe(2);
  });

  it('says so when the state is away, and goes on when it is back', async () => {
    desks.state.isAway = true;
    await refused(operator(put({ values: { city: 'Ulm' } })), 503, 'STATE_UNAVAILABLE');
    desks.state.isAway = false;
    expect((await operator(put({ values: { city: 'Ulm' } }))).status).toBe(200);
  });
});
