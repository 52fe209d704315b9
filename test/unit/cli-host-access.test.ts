import { chmodSync, chownSync, existsSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { writeHostFile } from '../../runtime/cli/host-file.ts';
import { openDataFolder } from '../../runtime/state/data-folder.ts';
import { deskHost } from '../support/desk-host.ts';
import { plexi } from '../support/plexi.ts';
import { withoutPlexiVariables } from '../support/plexi-variables.ts';
import { askStranger, sends, stranger } from '../support/stranger.ts';
import { tempFolder } from '../support/temp-folder.ts';

withoutPlexiVariables();

describe('which host, and with which token', () => {
  it('a folder-signed token is short-lived and may do no more than it must', async () => {
    const at = await stranger(sends({ tasks: [] }));
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    await writeHostFile(data, at.url);
    expect((await plexi('tasks', 'list', '--data', data)).code).toBe(0);
    const claims = decodeJwt(at.requests[0]?.authorization?.replace('Bearer ', '') ?? '');
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60);
    expect(claims).toMatchObject({ tier: 'admin', permissions: ['modules:read', 'modules:manage'] });
    expect(claims.sub).toMatch(/^cli:/);
  });

  it('with a URL and a token nothing of a data folder is needed, or made', async () => {
    const at = await stranger(sends({ tasks: [] }));
    const data = join(tempFolder(), 'none');
    process.env.PLEXI_DATA = data;
    expect((await askStranger(at, 'list')).code).toBe(0);
    expect(at.requests).toEqual([{ path: '/api/v1/tasks', authorization: 'Bearer a.b.c' }]);
    process.env.PLEXI_URL = `${at.url}/`;
    process.env.PLEXI_TOKEN = 'd.e.f';
    expect((await plexi('tasks', 'list')).code).toBe(0);
    expect(at.requests[1]).toEqual({ path: '/api/v1/tasks', authorization: 'Bearer d.e.f' });
    expect(existsSync(data)).toBe(false);
  });

  it('a folder-signed token goes to no other URL', async () => {
    const { data } = await deskHost();
    const at = await stranger(sends({ tasks: [] }));
    const { code, errors } = await plexi('tasks', 'list', '--data', data, '--url', at.url);
    expect(code).toBe(1);
    expect(errors).toContain('--token');
    expect(at.requests).toEqual([]);
  });

  it.each([
    'http://127.0.0.1:1@127.0.0.1:2',
    'http://user:hunter2@host',
    'ftp://host',
    'host:8080',
    'http://h?x=1',
    'nothing',
  ])('--url %s is refused', async (url) => {
    const { code, errors } = await plexi('tasks', 'list', '--url', url, '--token', 'a.b.c');
    expect(errors).toContain('--url: allowed is');
    expect(errors).not.toContain('hunter2');
    expect(code).toBe(1);
  });

  it.each(['a b', 'a\r\nX-Evil: 1', 'é', ''])('--token %j is refused', async (token) => {
    const { code, errors } = await plexi('tasks', 'list', '--url', 'http://127.0.0.1:1', '--token', token);
    expect(errors).toContain('--token: allowed is');
    expect(code).toBe(1);
  });

  it('the URL of its own host is fine', async () => {
    const { data, url } = await deskHost();
    expect((await plexi('tasks', 'list', '--data', data, '--url', `${url}/`)).code).toBe(0);
  });

  it('a folder that is named is meant, whatever the environment says', async () => {
    const { data } = await deskHost();
    const at = await stranger(sends({ tasks: [] }));
    process.env.PLEXI_URL = at.url;
    process.env.PLEXI_TOKEN = 'd.e.f';
    expect((await plexi('tasks', 'list', '--data', data)).code).toBe(0);
    expect(at.requests).toEqual([]);
  });

  it('a redirect is not followed with the token', async () => {
    const elsewhere = await stranger(sends({ tasks: [] }));
    const at = await stranger((response) => response.writeHead(307, { location: `${elsewhere.url}/x` }).end());
    const { code, errors } = await askStranger(at, 'list');
    expect(code).toBe(3);
    expect(errors).toContain('status 307');
    expect(elsewhere.requests).toEqual([]);
  });

  it('an issuer that the host asks for is known from its settings, and hinted at without them', async () => {
    const { data } = await deskHost({ issuer: 'https://idp.example' });
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(1);
    expect(errors).toMatch(/\(UNAUTHENTICATED\)\n.*--config/);
    const config = join(tempFolder({ 'plexi.yaml': 'auth: { issuer: "https://idp.example" }' }), 'plexi.yaml');
    expect((await plexi('tasks', 'list', '--data', data, '--config', config)).code).toBe(0);
  });

  it('a token that may not ends with 1 and says what is missing', async () => {
    const { url } = await deskHost();
    const { code, errors } = await plexi('tasks', 'list', '--url', url, '--token', 'not-a-jwt');
    expect(code).toBe(1);
    expect(errors).toContain('(UNAUTHENTICATED)');
  });
});

/** As it comes with a folder that somebody else made: a clone, an archive. */
describe('a host.json that somebody else wrote', () => {
  async function plant(url: string): Promise<string> {
    const data = join(tempFolder(), '.plexi');
    await openDataFolder(data);
    const planted = { url, pid: 1, started_at: '2026-05-01T11:00:00.000Z' };
    writeFileSync(join(data, 'host.json'), JSON.stringify(planted), { mode: 0o600 });
    return data;
  }
  function watchFetch() {
    const fetch = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json({ tasks: [] }));
    onTestFinished(() => fetch.mockRestore());
    return fetch;
  }
  const ELSEWHERE = [
    'http://192.0.2.1:8080',
    'http://evil.example',
    'https://evil.example:443',
    'http://127.0.0.1.evil.example:80',
    'http://localhost.evil.example:80',
    'http://[2001:db8::1]:80',
    'http://[::ffff:192.0.2.1]:80',
    'http://0.0.0.0:80',
    // 192.0.2.1
    'http://3221225985:80',
  ];

  it.each(ELSEWHERE)('gets no token that is given for another host: %s', async (url) => {
    const fetch = watchFetch();
    const data = await plant(url);
    process.env.PLEXI_TOKEN = 'a.b.c';
    process.env.PLEXI_DATA = data;
    for (const args of [[], ['--data', data, '--token', 'a.b.c']]) {
      const { code, output, errors } = await plexi('tasks', 'list', ...args);
      expect([code, output]).toEqual([1, '']);
      expect(errors).toContain('name it with --url');
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each(ELSEWHERE)('gets no token of the folder, and no data of a run: %s', async (url) => {
    const fetch = watchFetch();
    const data = await plant(url);
    const args = ['tasks', 'run', 'weather', 'refresh', '--input', '{"private":1}', '--data', data];
    const { code, errors } = await plexi(...args);
    expect([code, errors]).toEqual([1, expect.stringContaining('name it with --url')]);
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each(['http://127.0.0.1:81', 'http://127.9.8.7:81', 'http://localhost:81', 'http://[::1]:81'])(
    'leads to this machine at most: %s',
    async (url) => {
      const fetch = watchFetch();
      const data = await plant(url);
      expect((await plexi('tasks', 'list', '--data', data, '--token', 'a.b.c')).code).toBe(0);
      expect((await plexi('tasks', 'list', '--data', data)).code).toBe(0);
      expect(fetch.mock.calls.map(([asked]) => String(asked))).toEqual(Array(2).fill(`${url}/api/v1/tasks`));
    },
  );

  it('may name an address of this machine to a token of its folder, and what --url names to any', async () => {
    const fetch = watchFetch();
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (own !== undefined) {
      const data = await plant(`http://${own.address}:81`);
      expect((await plexi('tasks', 'list', '--data', data)).code).toBe(0);
      expect((await plexi('tasks', 'list', '--data', data, '--token', 'a.b.c')).code).toBe(1);
      expect(fetch).toHaveBeenCalledTimes(1);
    }
    const data = await plant('http://plexi.example:81');
    fetch.mockClear();
    expect((await plexi('tasks', 'list', '--data', data, '--url', 'http://plexi.example:81')).code).toBe(0);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('is not believed when it is another user’s and the token was given', async () => {
    const fetch = watchFetch();
    const data = await plant('http://127.0.0.1:81');
    if (process.getuid?.() === 0) {
      for (const path of [join(data, 'host.json'), data]) chownSync(path, 54_321, 54_321);
    } else {
      vi.stubGlobal('process', Object.assign(Object.create(process), { getuid: () => 54_321 }));
      onTestFinished(() => void vi.unstubAllGlobals());
    }
    const { code, errors } = await plexi('tasks', 'list', '--data', data, '--token', 'a.b.c');
    expect([code, errors]).toEqual([3, expect.stringContaining('it belongs to another user')]);
    expect(errors).toContain('--url');
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each([0o770, 0o702])('is not believed in a folder that others may write to: %i', async (mode) => {
    const fetch = watchFetch();
    const data = await plant('http://127.0.0.1:81');
    chmodSync(data, mode);
    for (const token of [[], ['--token', 'a.b.c']]) {
      const { code, errors } = await plexi('tasks', 'list', '--data', data, ...token);
      expect([code, errors]).toEqual([3, expect.stringContaining('others may write to its folder')]);
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  it('steers no terminal, and neither does the name of its folder', async () => {
    const data = join(tempFolder(), 'x\u001b]0;owned\u0007\u202e');
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
    expect(errors).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('a host that is not there', () => {
  it('no data folder is made for it', async () => {
    const data = join(tempFolder(), 'typo');
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(1);
    expect(errors).toContain(`${data} holds no data of a host`);
    expect(existsSync(data)).toBe(false);
  });

  it('a folder without a running host ends with 3 and says what to do', async () => {
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(3);
    expect(errors).toContain(`No host runs on ${data}`);
    expect(errors).toContain(`plexi serve --data ${data}`);
  });

  it('a host.json of a host that is gone ends with 3, says so, and sends nothing', async () => {
    const at = await stranger(sends({ tasks: [] }));
    const data = join(tempFolder(), 'data');
    await openDataFolder(data);
    const gone = { url: at.url, pid: 2 ** 30, started_at: '2026-05-01T11:00:00.000Z' };
    writeFileSync(join(data, 'host.json'), JSON.stringify(gone), { mode: 0o600 });
    const { code, errors } = await plexi('tasks', 'list', '--data', data);
    expect(code).toBe(3);
    expect(errors).toContain('is gone');
    expect(errors).toContain(`plexi serve --data ${data}`);
    expect(at.requests).toEqual([]);
  });

  it('a port where nothing listens ends with 3', async () => {
    const { code, errors } = await plexi('tasks', 'list', '--url', 'http://127.0.0.1:1', '--token', 'a.b.c');
    expect(code).toBe(3);
    expect(errors).toContain('http://127.0.0.1:1 cannot be reached');
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it('a connection that is cut ends with 3', async () => {
    const at = await stranger((response) => response.destroy());
    const { code, errors } = await askStranger(at, 'list');
    expect(code).toBe(3);
    expect(errors).toContain('the connection was cut');
  });

  it('one that never answers is given up', async () => {
    const signal = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(signal);
    onTestFinished(() => timeout.mockRestore());
    const at = await stranger(() => {});
    const { code, errors } = await askStranger(at, 'list');
    expect(timeout).toHaveBeenCalledWith(15_000);
    expect([code, errors]).toEqual([3, expect.stringContaining('no answer within 15 s')]);
  });
});
