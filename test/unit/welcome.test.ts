import { describe, expect, it } from 'vitest';
import { lineToTry } from '../../runtime/cli/line-to-try.ts';
import { type Access, accessFor, welcome } from '../../runtime/cli/welcome.ts';
import type { Host } from '../../runtime/compose.ts';
import { createIdleModule } from '../../runtime/modules/idle-module.ts';
import { Registry } from '../../runtime/modules/registry.ts';
import { type FakeModuleOptions, fakeModule } from '../support/fake-modules.ts';

function hostWith(reason: string): Host {
  const registry = new Registry();
  registry.add(fakeModule({ name: 'fine', endpoints: { 'GET /hello': {} } }));
  const { manifest } = fakeModule({ name: 'bad', prefix: '/api/v1/bad', endpoints: {} });
  registry.add(createIdleModule(manifest, 'failed', [reason]));
  return { registry, url: 'http://127.0.0.1:1' } as Host;
}

const EVERYTHING: Access = {
  token: 'a.b.c',
  about: 'of the admin tier, for the next 12 h',
  path: '/api/v1/fine/hello',
  login: 'http://x/console/login?code=y',
};
const { login: _login, ...LINE } = EVERYTHING;

describe('what the terminal shows', () => {
  it('has a login, a token and a line that works', () => {
    const text = welcome(hostWith('no'), EVERYTHING, '.plexi');
    expect(text).toContain('curl -H "Authorization: Bearer a.b.c" http://127.0.0.1:1/api/v1/fine/hello');
    expect(text).toContain('\nhttp://x/console/login?code=y\n');
    expect(text).toContain('\na.b.c\n');
  });

  it('has the commands that make a token, when none may be shown', () => {
    const text = welcome(hostWith('no'), undefined, '/srv/data');
    expect(text).toContain('npx plexi token --sub operator --tier admin --permissions read,write --data /srv/data');
    expect(text).toContain('npx plexi token --sub operator --permissions modules:manage --data /srv/data');
    expect(text).not.toContain('curl');
  });

  it('has the line and no login, when others may read it', () => {
    const text = welcome(hostWith('no'), LINE, '/srv/data');
    expect(text).toContain('curl -H "Authorization: Bearer a.b.c" http://127.0.0.1:1/api/v1/fine/hello');
    expect(text).toContain('--permissions modules:manage --data /srv/data');
    expect(text).not.toContain('code=');
  });

  it('is not steered by the words of a module, and none of them passes for a row', () => {
    const text = welcome(hostWith('\u001b[2Jno\n  weather  running  /api/v1/weather'), EVERYTHING, '.plexi');
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/^\s*weather/m);
  });

  it('has commands that hold for any folder', () => {
    const text = welcome(hostWith('no'), undefined, "/srv/it's $(here)\u001b[2J");
    expect(text).toContain(`--data '/srv/it'\\''s $(here)\\u001b[2J'`);
    expect(text).not.toContain('\u001b');
  });
});

describe('who is let in by what is printed', () => {
  it.each([
    [true, undefined, 'everything'],
    [true, 'development', 'everything'],
    [false, undefined, 'a line'],
    [false, 'test', 'a line'],
    [false, 'production', 'nothing'],
    // docker run -t: the log keeps what looks like a terminal.
    [true, 'production', 'nothing'],
  ] as const)('a terminal: %s, NODE_ENV %s: %s', (isTerminal, environment, access) => {
    expect(accessFor(isTerminal, environment)).toBe(access);
  });
});

describe('the line to try', () => {
  const line = (modules: FakeModuleOptions[], tiers?: Parameters<typeof lineToTry>[1]) =>
    lineToTry(modules.map(fakeModule), tiers);

  it('asks for the lowest tier', () => {
    const modules: FakeModuleOptions[] = [
      { name: 'inner', endpoints: { 'GET /': {} }, manifest: { security: { admin_only: true } } },
      { name: 'better', endpoints: { 'GET /x': { userTiers: ['premium', 'admin'] } } },
      { name: 'all', endpoints: { 'GET /y': { permissions: ['read'] } } },
    ];
    expect(line(modules)).toEqual({ path: '/api/v1/all/y', tier: 'basic' });
    expect(line(modules.slice(0, 2))).toEqual({ path: '/api/v1/better/x', tier: 'premium' });
    expect(line(modules.slice(0, 1))).toEqual({ path: '/api/v1/inner', tier: 'admin' });
  });

  it('is one that its tier may call', () => {
    const modules = [
      { name: 'plain', endpoints: { 'GET /': {} }, manifest: { user_tier_access: ['basic'] } },
      { name: 'all', endpoints: { 'GET /y': {} } },
    ];
    expect(line(modules, ['admin'])).toEqual({ path: '/api/v1/all/y', tier: 'admin' });
  });

  it('needs nothing that the token has not, and a module that runs', () => {
    expect(
      line([
        { endpoints: { 'POST /': {}, 'GET /:id': {}, 'GET /x': { permissions: ['modules:manage'] } } },
        { name: 'failed', state: 'failed', endpoints: { 'GET /y': {} } },
      ]),
    ).toBeUndefined();
  });
});
