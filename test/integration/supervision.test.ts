import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const cache = sharedCache();
let at: TestHost | undefined;
afterEach(async () => {
  await at?.close();
  at = undefined;
});

interface Written {
  readonly routes: string;
  readonly autoLoad?: boolean;
  readonly timeoutS?: number;
}

async function start(modules: Readonly<Record<string, Written>>): Promise<TestHost> {
  const files: Record<string, string> = {};
  for (const [name, { routes, autoLoad = false, timeoutS = 10 }] of Object.entries(modules)) {
    files[`${name}/config.yaml`] = [
      `module_name: ${name}\nmodule_version: 1.0.0\nauto_load: ${autoLoad}`,
      'security: { require_authentication: false, rate_limiting: false }',
      `runtime: { timeout: ${timeoutS} }`,
    ].join('\n');
    files[`${name}/module.ts`] = `
      import { BaseModule } from '@plexichat/sdk';
      export default class Written extends BaseModule {
        override setupRoutes() { this.router.get('/ok', () => 1); ${routes} }
      }`;
  }
  at = await startTestHost({ files, settings: { cells: '1' }, cache });
  return at;
}

function hosted({ host }: TestHost, name: string): HostedModule {
  const found = host.registry.list().find((candidate) => candidate.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted`);
  return found;
}

async function statusOf(from: TestHost, path: string): Promise<number> {
  const response = await from.fetch(`/api/v1/${path}`);
  await response.body?.cancel();
  return response.status;
}

/** Deep in native code: the thread cannot be ended, so its cell is. */
const STUCK = `this.router.get('/stuck', () => (new Array(3e8) as unknown[]).fill(0).length);`;

describe('a cell that dies of one of its modules', () => {
  it('costs its neighbours a restart, once: the culprit is alone from then on, and they share as before', async () => {
    const names = ['one', 'two', 'three', 'four', 'five', 'six'];
    const host = await start({
      evil: { routes: STUCK },
      ...Object.fromEntries(names.map((name) => [name, { routes: '' }])),
    });
    const all = () => Promise.all(['evil', ...names].map((name) => statusOf(host, `${name}/ok`)));
    expect(new Set(await all())).toEqual(new Set([200]));
    expect(host.host.cells.processIds).toHaveLength(1);
    expect(await statusOf(host, 'evil/stuck')).toBe(503);
    await until(() => hosted(host, 'one').instances.size === 0);
    expect(new Set(await all())).toEqual(new Set([200]));
    // One cell for everybody, one for the culprit.
    expect(host.host.cells.processIds).toHaveLength(2);
    const neighbours = names.flatMap((name) => [...hosted(host, name).instances]);
    expect(await statusOf(host, 'evil/stuck')).toBe(503);
    await until(() => host.host.cells.processIds.length === 1);
    expect(neighbours.every(({ alive }) => alive)).toBe(true);
  });

  it('is soon left by modules that boot with the host: they come back without being asked', async () => {
    const host = await start({ one: { routes: '', autoLoad: true }, two: { routes: '', autoLoad: true } });
    const before = host.host.cells.processIds;
    for (const processId of before) process.kill(processId, 'SIGKILL');
    await until(() => !host.host.cells.processIds.some((processId) => before.includes(processId)));
    await until(() => ['one', 'two'].every((name) => hosted(host, name).state === 'running'));
  });
});

describe('a module that uses the processor while nobody waits for it', () => {
  it('is ended after some seconds, by name', async () => {
    const host = await start({
      spinner: { routes: `this.router.get('/spin', () => { setTimeout(() => { for (;;); }, 20); return 1; });` },
    });
    expect(await statusOf(host, 'spinner/spin')).toBe(200);
    await until(() => hosted(host, 'spinner').state === 'crashed');
    expect(hosted(host, 'spinner').reasons.join()).toMatch(/^cpu: has not come to rest for \d+ seconds$/);
    expect(await statusOf(host, 'spinner/ok')).toBe(200);
  });

  it('may use it as long as somebody does wait', async () => {
    const host = await start({
      worker: {
        routes: `this.router.get('/work', () => { const end = Date.now() + 7000; while (Date.now() < end); return 1; });`,
      },
    });
    expect(await statusOf(host, 'worker/work')).toBe(200);
    expect(hosted(host, 'worker').state).toBe('running');
  });
});

describe('a module that eats memory which V8 does not account for', () => {
  it('is ended when its cell has more than its modules may need together', async () => {
    const host = await start({
      eater: {
        routes: `this.router.get('/eat', () => {
          const all = [];
          for (;;) all.push(new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin', dateStyle: 'full' }));
        });`,
        // Hundreds of megabytes take a slow machine a while.
        timeoutS: 60,
      },
    });
    expect(await statusOf(host, 'eater/eat')).toBe(503);
    await until(() => hosted(host, 'eater').state === 'crashed');
    expect(hosted(host, 'eater').reasons.join()).toMatch(/^memory: the cell has \d+ MB, allowed are \d+$/);
  });
});

describe('a machine without room for another process', () => {
  it('makes the start of a cell fail by name, and nothing else', async () => {
    const script = `
      import { openSync } from 'node:fs';
      const { Cell } = await import(${JSON.stringify(new URL('../../runtime/cells/cell.ts', import.meta.url).href)});
      try { for (;;) openSync('/dev/null', 'r'); } catch {}
      const files = { folder: '/', program: '/none', emptyFolder: '/', kernelHash: '' };
      try { new Cell({ files, jit: 'safe', onNoise() {}, onClose() {} }); } catch (error) { console.log(error.name); }
      setTimeout(() => console.log('still here'), 50);`;
    const { stdout } = await promisify(execFile)('/bin/sh', [
      '-c',
      'ulimit -n 64; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      script,
    ]);
    expect(stdout).toBe('CellStartError\nstill here\n');
  });
});
