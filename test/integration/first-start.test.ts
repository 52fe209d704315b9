/** What `plexi serve` prints where others may read it: a file, a pipe, a journal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJwt } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));
const FILES = {
  'modules/steady/config.yaml': 'module_name: steady\nmodule_version: 1.0.0\n',
  'modules/steady/module.ts': `import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
export default class Steady extends BaseModule {
  @moduleEndpoint('GET /hello', { permissions: ['read'] })
  hello() {
    return { hello: 'there' };
  }
}
`,
};

/** Everything that it printed, its log too, once it says where the console is. */
async function printedBy(environment: string): Promise<string> {
  const folder = tempFolder(FILES);
  const places = ['--modules', join(folder, 'modules'), '--data', join(folder, 'data')];
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', ...places], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return textOf(child);
}

async function textOf({ stdout, stderr }: ChildProcess): Promise<string> {
  let text = '';
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  await until(() => /modules:manage.*\n\n$/.test(text));
  return text;
}

it('into a pipe there is a line that works, with a token that steers nothing, and no login', async () => {
  const text = await printedBy('development');
  expect(text).not.toContain('code=');
  const [, token = '', url = ''] = /^curl -H "Authorization: Bearer (\S+)" (\S+)$/m.exec(text) ?? [];
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers });
  expect([answer.status, await answer.json()]).toEqual([200, { hello: 'there' }]);
  const { exp = 0, iat = 0, ...claims } = decodeJwt(token);
  expect(claims).toEqual({ sub: 'operator', tier: 'basic', permissions: ['read', 'write'] });
  expect(exp - iat).toBe(3600);
  for (const path of ['/api/v1/modules', '/api/v1/tasks', '/console/queues']) {
    expect((await fetch(new URL(path, url), { headers })).status, path).toBe(403);
  }
  expect(text.match(/eyJ[\w-]+\.eyJ/g)).toHaveLength(1);
});

it('in production nothing is printed that lets anybody in', async () => {
  const text = await printedBy('production');
  expect(text).not.toMatch(/code=|eyJ|Bearer/);
  expect(text).toContain('npx plexi token');
});
