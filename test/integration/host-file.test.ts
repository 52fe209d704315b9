import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plexi } from '../support/plexi.ts';
import { type SpawnedHost, spawnHost } from '../support/spawn-host.ts';
import { until } from '../support/until.ts';

const FILES = {
  'steady/config.yaml': 'module_name: steady\nmodule_version: 1.0.0\n',
  'steady/module.ts':
    "import { BaseModule } from '@plexichat/sdk';\nexport default class Steady extends BaseModule {}\n",
};

function dataOf({ child: { spawnargs } }: SpawnedHost): string {
  return spawnargs[spawnargs.indexOf('--data') + 1] ?? '';
}

it('plexi serve says in host.json where it listens, and takes that back when it ends', async () => {
  const host = await spawnHost(FILES);
  const file = join(dataOf(host), 'host.json');
  await until(() => existsSync(file));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { url, pid, started_at } = JSON.parse(readFileSync(file, 'utf8'));
  expect(pid).toBe(host.processId);
  expect(Date.now() - Date.parse(started_at)).toBeLessThan(60_000);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  host.child.kill('SIGTERM');
  expect(await host.exit).toBe(0);
  expect(existsSync(file)).toBe(false);
});

it('after a host was killed the command says so, and what to do', async () => {
  const host = await spawnHost(FILES);
  const data = dataOf(host);
  await until(() => existsSync(join(data, 'host.json')));
  host.child.kill('SIGKILL');
  await host.exit;
  const { code, errors } = await plexi('tasks', 'list', '--data', data);
  expect(code).toBe(3);
  expect(errors).toContain(`it was process ${host.processId}`);
  expect(errors).toContain('did not end in order');
  expect(errors).toContain(`plexi serve --data ${data}`);
});
