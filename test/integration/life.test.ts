import { afterEach, describe, expect, it } from 'vitest';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { startTestHost, type TestHost, type TestHostOptions } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const cache = sharedCache();
let at: TestHost;

async function start(options: TestHostOptions): Promise<void> {
  at = await startTestHost({ ...options, cache });
}
afterEach(() => at.close());

function module(name: string): HostedModule {
  const found = at.host.registry.list().find((candidate) => candidate.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted`);
  return found;
}

async function code(response: Response): Promise<unknown> {
  return ((await response.json()) as { code?: unknown }).code;
}

describe('a module that nobody uses', () => {
  it('boots on its first use and sleeps again when idle', async () => {
    await start({ fixtures: ['slow_starter'] });
    expect(module('slow_starter').state).toBe('sleeping');
    expect(await (await at.fetch('/api/v1/slow_starter/boots')).json()).toEqual({ boots: 1 });
    expect(module('slow_starter').state).toBe('running');
    await until(() => module('slow_starter').state === 'sleeping');
    expect(at.lines.some(({ msg }) => msg === 'slow starter says good-bye')).toBe(true);
    expect(await (await at.fetch('/api/v1/slow_starter/boots')).json()).toEqual({ boots: 1 });
  });

  it('boots once for many first uses at the same time', async () => {
    await start({ fixtures: ['slow_starter'] });
    const answers = await Promise.all(Array.from({ length: 20 }, () => at.fetch('/api/v1/slow_starter/boots')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(module('slow_starter').instances.size).toBe(1);
  });
});

describe('a module that loops for ever', () => {
  it('is answered 504 while another module keeps answering, and is back for the next request', async () => {
    await start({ fixtures: ['looper', 'steady'] });
    await at.fetch('/api/v1/looper/ok');
    await at.fetch('/api/v1/steady/hello');
    const looping = at.fetch('/api/v1/looper/loop');
    let answered = 0;
    let over = false;
    void looping.then(() => {
      over = true;
    });
    while (!over) {
      expect((await at.fetch('/api/v1/steady/hello')).status).toBe(200);
      answered += 1;
    }
    expect(answered).toBeGreaterThan(3);
    const response = await looping;
    expect(response.status).toBe(504);
    expect(await code(response)).toBe('MODULE_TIMEOUT');
    await until(() => module('looper').state === 'crashed');
    expect((await at.fetch('/api/v1/looper/ok')).status).toBe(200);
  });

  it('takes nobody with it: a request beside it is run again', async () => {
    await start({ fixtures: ['looper'] });
    await at.fetch('/api/v1/looper/ok');
    const looping = at.fetch('/api/v1/looper/loop');
    await until(() => [...module('looper').instances].some(({ busy }) => busy > 0));
    const beside = at.fetch('/api/v1/looper/ok');
    expect((await looping).status).toBe(504);
    // The one beside has the same deadline, so it may be late too; but it is never lost.
    expect([200, 504]).toContain((await beside).status);
  });

  it('is told by its signal when the deadline passes, and stays when it yields', async () => {
    await start({ fixtures: ['looper'] });
    const response = await at.fetch('/api/v1/looper/never');
    expect(response.status).toBe(504);
    expect(await (await at.fetch('/api/v1/looper/aborted')).json()).toEqual({ aborted: 1 });
    expect(module('looper').state).toBe('running');
  });
});

describe('a module that eats memory', () => {
  it.each(['heap', 'string', 'buffers'])('leaves the gateway and its neighbours up: %s', async (bomb) => {
    await start({ fixtures: ['bomber', 'steady'] });
    await at.fetch('/api/v1/steady/hello');
    const response = await at.fetch(`/api/v1/bomber/${bomb}`);
    // V8 may refuse a huge string with an error of the language before it runs out of memory.
    expect(await code(response)).toMatch(bomb === 'string' ? /MODULE_/ : /MODULE_CRASHED|MODULE_UNAVAILABLE/);
    expect((await at.fetch('/api/v1/steady/hello')).status).toBe(200);
    await until(async () => (await at.fetch('/api/v1/bomber/ok')).status === 200);
  });
});

describe('a module with errors that nothing catches', () => {
  it('goes on, and its log has them', async () => {
    await start({ fixtures: ['thrower'] });
    expect(await (await at.fetch('/api/v1/thrower/lost')).json()).toEqual({ still: 'here' });
    const lost = (text: string): boolean =>
      at.lines.some(({ module, msg }) => module === 'thrower' && msg.includes(text));
    await until(() => lost('lost in a timer') && lost('lost in a microtask') && lost('A promise was rejected'));
  });
});

describe('a module that keeps crashing', () => {
  it('waits between its starts and refuses in between with Retry-After', async () => {
    await start({
      files: {
        'dying/config.yaml': 'module_name: dying\nmodule_version: 1.0.0\nauto_load: false\n',
        'dying/module.ts': `
          import { BaseModule } from '@plexichat/sdk';
          export default class Dying extends BaseModule {
            override initialize() { throw new Error('no such database'); }
            override setupRoutes() { this.router.get('/x', () => ({})); }
          }`,
      },
    });
    const first = await at.fetch('/api/v1/dying/x');
    expect(first.status).toBe(503);
    expect(first.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(module('dying').state).toBe('crashed');
    expect(module('dying').reasons.join()).toContain('no such database');
    await at.fetch('/api/v1/dying/x');
    const refused = await at.fetch('/api/v1/dying/x');
    expect(refused.status).toBe(503);
    expect(await code(refused)).toBe('MODULE_UNAVAILABLE');
  });
});

describe('a cell that is killed', () => {
  it('costs its modules a restart and no caller of GET an answer', async () => {
    await start({ fixtures: ['steady', 'looper'], settings: { cells: '1' } });
    await at.fetch('/api/v1/steady/hello');
    await at.fetch('/api/v1/looper/ok');
    const slow = at.fetch('/api/v1/looper/ok');
    const [processId] = at.host.cells.processIds;
    process.kill(processId ?? 0, 'SIGKILL');
    expect((await slow).status).toBe(200);
    expect((await at.fetch('/api/v1/steady/hello')).status).toBe(200);
    expect(at.host.cells.processIds).not.toContain(processId);
  });
});

describe('a host that closes', () => {
  it('lets a running request finish and ends its cells', async () => {
    await start({ fixtures: ['slow_starter'] });
    const running = at.fetch('/api/v1/slow_starter/boots');
    await until(() => module('slow_starter').state !== 'sleeping');
    const cells = at.host.cells.processIds;
    await at.host.close();
    expect((await running).status).toBe(200);
    for (const processId of cells) expect(() => process.kill(processId, 0)).toThrow();
  });
});

describe('a streamed answer', () => {
  const files = {
    'ticker/config.yaml': 'module_name: ticker\nmodule_version: 1.0.0\n',
    'ticker/module.ts': `
      import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
      export default class Ticker extends BaseModule {
        sent = 0; cancelled = false; aborted = false;
        @moduleEndpoint('GET /endless') endless({ signal }) {
          const self = this;
          signal.addEventListener('abort', () => { self.aborted = true; });
          return new Response(new ReadableStream({
            pull(c) { self.sent += 1; c.enqueue(new Uint8Array(16384)); },
            cancel() { self.cancelled = true; },
          }), { headers: { 'content-type': 'application/octet-stream' } });
        }
        @moduleEndpoint('GET /sent') count() { return { sent: this.sent, cancelled: this.cancelled, aborted: this.aborted }; }
      }`,
  };

  it('is held back while the client does not read, and cancelled when it goes away', async () => {
    await start({ files });
    const abort = new AbortController();
    const response = await at.fetch('/api/v1/ticker/endless', { signal: abort.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    const sent = async () =>
      (await (await at.fetch('/api/v1/ticker/sent')).json()) as { sent: number; cancelled: boolean; aborted: boolean };
    let before = -1;
    // It comes to rest by itself once every buffer on the way is full.
    await until(async () => {
      const now = (await sent()).sent;
      const still = now === before;
      before = now;
      return still;
    });
    expect(before * 16384).toBeLessThan(32 * 1024 * 1024);
    abort.abort();
    await until(async () => (await sent()).cancelled);
    expect((await sent()).aborted).toBe(true);
  });
});
