/** Files of a whole host: what was granted in plexi.yaml, and what nobody gets whatever was granted. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const TEMP = tmpdir();
const RUNTIME = fileURLToPath(new URL('../../runtime', import.meta.url));
const MODULE = `
import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
export default class Reader extends BaseModule {
  @moduleEndpoint('POST /try', { permissions: ['read'] })
  async attempt({ body: { path } }) {
    const end = (run) => run.then(() => 'ok', (error) => error.code);
    return {
      read: await end(this.files.readText(path)),
      write: await end(this.files.write(path, 'hacked')),
      list: await end(this.files.list(path)),
      stat: await end(this.files.stat(path)),
      remove: await end(this.files.remove(path + '/x')),
    };
  }
}`;

let at: TestHost;
let own: string;
beforeAll(async () => {
  at = await startTestHost({
    files: {
      'reader/config.yaml': `module_name: reader\nmodule_version: 1.0.0\nrequired_permissions: ["files:read:${TEMP}"]\n`,
      'reader/module.ts': MODULE,
    },
    config: `grants: { reader: ["files:read:${TEMP}", "files:write:${TEMP}", "files:read:${RUNTIME}", "files:write:${RUNTIME}"] }`,
  });
  own = join(at.data, '..', 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'a'), 'x');
});
afterAll(() => at.close());

async function attempt(path: string): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json' };
  const response = await at.fetch('/api/v1/reader/try', { method: 'POST', headers, body: JSON.stringify({ path }) });
  return (await response.json()) as Record<string, string>;
}

const all = (code: string) => ({ read: code, write: code, list: code, stat: code, remove: code });

it('a grant reaches what is below it', async () => {
  expect(await attempt(join(own, 'a'))).toMatchObject({ read: 'ok', write: 'ok', stat: 'ok', list: 'INVALID_CALL' });
});

it.each([
  ['the secret of tokens', () => join(at.data, 'token.secret')],
  ['the data folder', () => at.data],
  ['a file that is not there', () => join(at.data, 'new')],
  ['the state', () => join(at.data, 'state.db')],
  ["a module's code", () => join(at.data, '../modules/reader/module.ts')],
  ['the folder of modules', () => join(at.data, '../modules')],
  ["the host's own program", () => join(RUNTIME, 'main.ts')],
])('no grant reaches %s', async (_name, path) => {
  expect(await attempt(path())).toEqual(all('PERMISSION_DENIED'));
});

it('nothing of that was changed, and the operator can read who tried', async () => {
  expect(readFileSync(join(at.data, 'token.secret'), 'utf8')).toMatch(/^[0-9a-f]{64}/);
  const token = await at.token({ tier: 'admin', permissions: ['modules:read', 'modules:manage'] });
  await until(async () => {
    const response = await at.fetch('/api/v1/security-events', { token });
    const text = await response.text();
    return text.includes('permission_denied') && text.includes("belongs to the host's own data");
  });
});
