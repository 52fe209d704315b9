/** Whom an end is charged to: what clients do is no module's fault, and what a module does is no neighbour's. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instance } from '../../runtime/cells/instance.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const BURN = `const burn = (ms) => { const end = Date.now() + ms; while (Date.now() < end); };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;
/** Says something to the host behind the kernel's back: one frame of the module's own in place of the next that is sent. */
const FORGE = `const { join } = Array.prototype;
let forged;
Array.prototype.join = function (by) {
  if (forged === undefined || by !== ',' || typeof this[0] !== 'string' || this[0][0] !== '{') return join.call(this, by);
  const text = forged;
  forged = undefined;
  return text;
};
const say = async (module, text) => { forged = text; module.logger.info('go'); await wait(1); };
`;

const module = (name: string, runtime: string, routes: string, before = ''): Record<string, string> => ({
  [`${name}/config.yaml`]: `module_name: ${name}
module_version: 1.0.0
auto_load: false
security: { require_authentication: false, rate_limiting: false }
runtime: { ${runtime} }
`,
  [`${name}/module.js`]: `import { BaseModule } from '@plexichat/sdk';
${BURN}${before}
export default class Demo extends BaseModule {
  setupRoutes() {
    this.router.get('/ok', () => ({ ok: true }));
    ${routes}
  }
}
`,
});

const FILES = {
  ...module(
    'computes',
    'timeout: 30',
    `this.router.get('/sum', () => { burn(2500); return {}; });
     this.router.post('/slow', async () => { await wait(2000); return { done: true }; });`,
  ),
  ...module(
    'large',
    'timeout: 30',
    `this.router.get('/text', async () => { await wait(1200); return new Response('x'.repeat(250_000)); });`,
  ),
  ...module('waits', 'timeout: 30', `this.router.get('/wait', async () => { await wait(20_000); return {}; });`),
  ...module(
    'burner',
    'timeout: 30, cpu_ms: 300',
    `this.router.get('/go', () => { const again = () => { burn(45); setTimeout(again, 5); }; again(); return {}; });`,
  ),
  ...module(
    'holder',
    'timeout: 30',
    `this.router.get('/hold', async () => { await say(this, '{"stream":1,"op":"end"}'); return {}; });`,
    FORGE,
  ),
  ...module(
    'grower',
    'timeout: 30',
    // Memory that V8 does not know of, at next to no work.
    `this.router.get('/go', () => {
       const text = 'x'.repeat(1024 * 1024); const words = new Intl.Segmenter('en'); const all = this.kept = [];
       setInterval(() => { if (all.length < 800) for (let n = 0; n < 8; n++) all.push(words.segment(text)); }, 100);
       return {};
     });`,
  ),
  ...module('honest', 'timeout: 30', `this.router.get('/work', () => { burn(8); return { ok: true }; });`),
};

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ files: FILES, settings: { cells: '1' } });
});
afterAll(() => host.close());

const path = (name: string, what: string): string => `/api/v1/${name}${what}`;
const hosted = (name: string): HostedModule => {
  const found = host.host.registry.list().find((one) => one.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is not there.`);
  return found;
};
const threadOf = async (name: string): Promise<Instance> => {
  await until(async () => (await host.fetch(path(name, '/ok'))).status === 200);
  const [thread] = hosted(name).instances;
  if (thread === undefined) throw new Error(`${name} has no thread.`);
  return thread;
};
const charged = (name: string): string[] =>
  host.lines
    .filter(({ module: of, msg }) => of === name && (msg === 'crashed' || msg === 'parked'))
    .map(({ reasons }) => String(reasons));
/** Asks, and leaves without waiting for the answer. */
const askAndLeave = (name: string, what: string, afterMs: number): Promise<unknown> =>
  host.fetch(path(name, what), { signal: AbortSignal.timeout(afterMs) }).catch(() => {});

describe('a client that goes away', () => {
  it('while a handler computes within its time costs nobody else an answer, and the module no crash', async () => {
    const thread = await threadOf('computes');
    const other = host.fetch(path('computes', '/slow'), { method: 'POST' });
    await until(() => thread.busy > 0);
    await askAndLeave('computes', '/sum', 100);
    expect((await other).status).toBe(200);
    expect([thread.alive, charged('computes')]).toEqual([true, []]);
  });

  it('before its large answer is sent leaves nothing on the module’s account, in whatever numbers', async () => {
    const thread = await threadOf('large');
    for (let wave = 0; wave < 3; wave += 1)
      await Promise.all(Array.from({ length: 60 }, () => askAndLeave('large', '/text', 350)));
    await until(() => thread.session.abandoned === 0);
    expect([thread.alive, charged('large')]).toEqual([true, []]);
  });

  it('from a handler that waits is no overload of the module, until it is: then new requests are told so', async () => {
    const thread = await threadOf('waits');
    while (thread.session.abandoned < 1024)
      await Promise.all(Array.from({ length: 64 }, () => askAndLeave('waits', '/wait', 350)));
    const refused = await host.fetch(path('waits', '/ok'));
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([503, 'MODULE_OVERLOADED']);
    expect([thread.alive, charged('waits')]).toEqual([true, []]);
    await until(async () => (await host.fetch(path('waits', '/ok'))).status === 200, 40_000);
    expect([thread.alive, charged('waits')]).toEqual([true, []]);
  }, 90_000);
});

describe('a module', () => {
  it('that works on for nobody is ended, however it cuts its work', async () => {
    const thread = await threadOf('burner');
    await host.fetch(path('burner', '/go'));
    await until(() => !thread.alive, 60_000);
    await until(() => charged('burner').some((reason) => reason.includes('cpu: worked for nobody')));
  }, 90_000);

  it('that announces a body which nobody asked for is not in use for that', async () => {
    const thread = await threadOf('holder');
    await host.fetch(path('holder', '/hold'));
    await until(() => thread.busy === 0);
    await hosted('holder').stop(25_000);
    expect(charged('holder')).toEqual([]);
  });

  it('that hides memory in company is not charged, and no neighbour either; it is charged when it is alone', async () => {
    await threadOf('honest');
    await threadOf('grower');
    let isOn = true;
    const clients = Promise.all(
      Array.from({ length: 2 }, async () => {
        while (isOn) await host.fetch(path('honest', '/work')).then((answer) => answer.text());
      }),
    );
    await until(async () => {
      await host.fetch(path('grower', '/go')).then((answer) => answer.text());
      await wait(500);
      return charged('grower').some((reason) => reason.startsWith('memory: '));
    }, 60_000);
    isOn = false;
    await clients;
    for (const reason of charged('honest'))
      expect(reason).toMatch(/^its cell died with it .*the cell has \d+ MB, allowed/);
  }, 90_000);
});
