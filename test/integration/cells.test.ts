import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import {
  childrenOf,
  commandLineOf,
  descriptorsOf,
  environmentOf,
  isRunning,
  ticksOf,
  workingDirectoryOf,
} from '../support/processes.ts';
import { spawnHost } from '../support/spawn-host.ts';
import { startTestHost, type TestHost, type TestHostOptions } from '../support/test-host.ts';
import { until } from '../support/until.ts';

let at: TestHost | undefined;

async function start(options: TestHostOptions): Promise<TestHost> {
  at = await startTestHost(options);
  return at;
}
afterEach(async () => {
  await at?.close();
  at = undefined;
});

/** The modules of most tests, in one host: to start one for each would be most of what they cost. */
const SHARED: Record<string, string> = {};
let shared: TestHost;
beforeAll(async () => {
  process.env.CELL_CANARY = 'seen';
  shared = await startTestHost({ files: SHARED });
});
afterAll(async () => {
  delete process.env.CELL_CANARY;
  await shared?.close();
});

/** A test of a module of its own in the shared host. */
function itWith(sentence: string, files: Record<string, string>, test: (host: TestHost) => Promise<void>): void {
  Object.assign(SHARED, files);
  const [name = ''] = Object.keys(files)[0]?.split('/') ?? [];
  it(sentence, async () => {
    await test(shared);
    await moduleOf(shared, name).stop(0);
  });
}

function moduleOf({ host }: TestHost, name: string): HostedModule {
  const found = host.registry.list().find((candidate) => candidate.name === name);
  if (!(found instanceof HostedModule)) throw new Error(`${name} is not hosted`);
  return found;
}

function cellOf(host: TestHost, name: string): number {
  const [instance] = moduleOf(host, name).instances;
  // Never 0: a signal to 0 goes to the whole process group of the test.
  if (instance?.cell.processId === undefined) throw new Error(`${name} runs in no cell`);
  return instance.cell.processId;
}

/** A module folder: its runtime section, its class body. */
function module(name: string, runtime: string, body: string): Record<string, string> {
  return {
    [`${name}/config.yaml`]: [
      `module_name: ${name}`,
      'module_version: 1.0.0',
      'auto_load: false',
      'api: { rate_limit: 100000 }',
      `runtime: { ${runtime} }`,
      '',
    ].join('\n'),
    [`${name}/module.ts`]: `
      import { BaseModule, moduleEndpoint } from '@plexichat/sdk';
      const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      export default class Fixture extends BaseModule {
        me = Math.random();
        @moduleEndpoint('GET /ok') ok() { return { me: this.me }; }
        ${body}
      }`,
  };
}

const SLOW = `@moduleEndpoint('GET /slow') async slow() { await wait(400); return { me: this.me }; }`;
/** Native code that V8 cannot interrupt for many seconds. */
const SORT = `@moduleEndpoint('GET /sort') sort() { const list = Array.from({ length: 2_500_000 }, () => Math.random()); list.sort(); return { first: list[0] }; }`;

describe('a cell process', () => {
  itWith(
    'has no environment, an empty working directory, and no descriptor that leads to a file of the host',
    module('bare', '', ''),
    async (host) => {
      await host.fetch('/api/v1/bare/ok');
      const cell = cellOf(host, 'bare');
      expect(environmentOf(cell).replaceAll('\0', '')).toBe('');
      expect(readdirSync(workingDirectoryOf(cell))).toEqual([]);
      expect(commandLineOf(cell)).not.toContain(Buffer.from(host.host.secret).toString('hex'));
      const outside = descriptorsOf(cell).filter((target) => !/^(socket:|pipe:|anon_inode:|\/dev\/null)/.test(target));
      expect(outside.filter((target) => !target.startsWith('/dev/urandom'))).toEqual([]);
    },
  );

  it('that is killed with several modules in it makes each of them a suspect, and none of them pays', async () => {
    const host = await start({
      files: { ...module('one', '', ''), ...module('two', '', '') },
      settings: { cells: '1' },
    });
    await Promise.all(['one', 'two'].map((name) => host.fetch(`/api/v1/${name}/ok`)));
    const shared = cellOf(host, 'one');
    expect(cellOf(host, 'two')).toBe(shared);
    process.kill(shared, 'SIGKILL');
    for (const name of ['one', 'two']) expect((await host.fetch(`/api/v1/${name}/ok`)).status).toBe(200);
    expect(cellOf(host, 'one')).not.toBe(cellOf(host, 'two'));

    // Alone from here on: one crash is forgiven, so the second one in a row has to wait, and only it.
    const innocent = cellOf(host, 'two');
    process.kill(cellOf(host, 'one'), 'SIGKILL');
    await until(() => moduleOf(host, 'one').state === 'crashed');
    expect((await host.fetch('/api/v1/one/ok')).status).toBe(200);
    process.kill(cellOf(host, 'one'), 'SIGKILL');
    await until(() => moduleOf(host, 'one').state === 'crashed');
    const refused = await host.fetch('/api/v1/one/ok');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await host.fetch('/api/v1/two/ok')).status).toBe(200);
    expect(cellOf(host, 'two')).toBe(innocent);
  });

  it('is killed for a thread that native code holds, soon and not at the deadline; its neighbour comes back', async () => {
    const files = { ...module('sorter', 'memory_mb: 256, timeout: 60', SORT), ...module('two', '', '') };
    const host = await start({ files, settings: { cells: '1' } });
    await Promise.all(['sorter', 'two'].map((name) => host.fetch(`/api/v1/${name}/ok`)));
    const shared = cellOf(host, 'two');
    const started = Date.now();
    const response = await host.fetch('/api/v1/sorter/sort');
    // On a fast machine the sort may be over before the watchdog loses its patience.
    if (response.status === 200) return;
    expect(response.status).toBe(503);
    expect(Date.now() - started).toBeLessThan(15_000);
    await until(async () => (await host.fetch('/api/v1/two/ok')).status === 200);
    await until(() => moduleOf(host, 'sorter').state === 'crashed');
    expect(moduleOf(host, 'sorter').reasons.join()).toContain('stuck');
    await until(() => !isRunning(shared) || cellOf(host, 'two') === shared);
  });

  itWith(
    'survives an upload in thousands of chunks of one byte',
    module(
      'uploads',
      '',
      `@moduleEndpoint('POST /echo') async echo({ request }) { return { length: (await request.bytes()).length }; }`,
    ),
    async (host) => {
      await host.fetch('/api/v1/uploads/ok');
      const cell = cellOf(host, 'uploads');
      const { hostname, port } = new URL(host.url);
      const socket = connect(Number(port), hostname);
      const head = [
        'POST /api/v1/uploads/echo HTTP/1.1',
        `host: ${hostname}`,
        `authorization: Bearer ${await host.token()}`,
        'content-type: application/octet-stream',
        'transfer-encoding: chunked',
        'connection: close',
      ].join('\r\n');
      socket.write(`${head}\r\n\r\n${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`);
      let answer = '';
      for await (const text of socket.setEncoding('utf8')) answer += text;
      expect(answer).toContain('{"length":20000}');
      expect(cellOf(host, 'uploads')).toBe(cell);
    },
  );
});

describe('a host process', () => {
  const files = { ...module('slow', 'timeout: 60', SLOW), ...module('sorter', 'memory_mb: 256, timeout: 60', SORT) };

  it('that is killed takes its cells with it, even one that is deep in native code', { timeout: 90_000 }, async () => {
    const host = await spawnHost(files);
    await host.fetch('/api/v1/slow/ok');
    await host.fetch('/api/v1/sorter/ok');
    const cells = childrenOf(host.processId);
    expect(cells.length).toBeGreaterThan(0);
    const before = cells.map(ticksOf);
    host.fetch('/api/v1/sorter/sort').catch(() => {});
    // Deep in the sort: the list is made by then, and the rest takes seconds.
    await until(
      () => cells.some((cell, index) => isRunning(cell) && ticksOf(cell) > (before[index] ?? 0) + 100),
      60_000,
    );
    host.child.kill('SIGKILL');
    await host.exit;
    await until(() => !cells.some(isRunning), 3_000);
  });

  it('that gets Ctrl-C with its whole process group lets a running request finish, and leaves nothing behind', async () => {
    const host = await spawnHost(files);
    await host.fetch('/api/v1/slow/ok');
    const cells = childrenOf(host.processId);
    const running = host.fetch('/api/v1/slow/slow');
    const late = running.then(async (response) => [response.status, await response.json()]);
    // The request is on its way when the answer to a second one has come.
    await host.fetch('/api/v1/slow/ok');
    process.kill(-host.processId, 'SIGINT');
    expect(await late).toEqual([200, { me: expect.any(Number) }]);
    expect(await host.exit).toBe(0);
    expect(cells.some(isRunning)).toBe(false);
  });
});

describe('a module with several instances', () => {
  itWith(
    'spreads requests over them, and replaces one that falls over while the others answer',
    module('many', 'instances: 3', SLOW),
    async (host) => {
      const ask = async () => {
        const answers = await Promise.all(Array.from({ length: 12 }, () => host.fetch('/api/v1/many/slow')));
        return new Set(await Promise.all(answers.map(async (answer) => ((await answer.json()) as { me: number }).me)));
      };
      expect((await ask()).size).toBe(3);
      const [first] = moduleOf(host, 'many').instances;
      first?.terminate('stuck', 'for this test');
      await first?.ended;
      expect(moduleOf(host, 'many').state).toBe('running');
      expect((await host.fetch('/api/v1/many/ok')).status).toBe(200);
      await until(() => moduleOf(host, 'many').instances.size === 3);
      expect((await ask()).size).toBe(3);
    },
  );
});

describe('a module with too much to do', () => {
  itWith(
    'queues a bounded number and refuses the rest with Retry-After',
    module(
      'narrow',
      'concurrency: 1, timeout: 60',
      `@moduleEndpoint('POST /hold') async hold({ request }) { return { length: (await request.bytes()).length }; }`,
    ),
    async (host) => {
      await host.fetch('/api/v1/narrow/ok');
      const [instance] = moduleOf(host, 'narrow').instances;
      // It has the only place until its upload is over.
      const upload = new TransformStream<Uint8Array, Uint8Array>();
      const held = host.fetch('/api/v1/narrow/hold', {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: upload.readable,
        duplex: 'half',
      } as RequestInit);
      const writer = upload.writable.getWriter();
      await writer.write(new Uint8Array(1));
      await until(() => instance?.busy !== 0);
      const refused: Response[] = [];
      const answers = Array.from({ length: 16 + 7 }, async () => {
        const answer = await host.fetch('/api/v1/narrow/ok');
        if (answer.status !== 200) refused.push(answer);
        return answer.status;
      });
      await until(() => refused.length === 7);
      await writer.close();
      expect((await held).status).toBe(200);
      const statuses = await Promise.all(answers);
      expect(statuses.filter((status) => status === 200).length).toBe(16);
      expect(refused.length).toBe(7);
      for (const answer of refused) {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toBe('1');
        expect(await answer.json()).toMatchObject({ code: 'MODULE_OVERLOADED' });
      }
    },
  );

  itWith(
    'is not ended because a hundred clients went away',
    module('busy', 'concurrency: 256', SLOW.replace('400', '4000')),
    async (host) => {
      await host.fetch('/api/v1/busy/ok');
      const [instance] = moduleOf(host, 'busy').instances;
      const clients = Array.from({ length: 100 }, () => {
        const client = new AbortController();
        return { client, answer: host.fetch('/api/v1/busy/slow', { signal: client.signal }).catch(() => {}) };
      });
      await until(() => (instance?.busy ?? 0) === 100);
      for (const { client } of clients) client.abort();
      await Promise.all(clients.map(({ answer }) => answer));
      await until(() => instance?.busy === 0);
      expect((await host.fetch('/api/v1/busy/ok')).status).toBe(200);
      expect(moduleOf(host, 'busy').instances.has(instance as never)).toBe(true);
    },
  );
});

describe('a module that is stopped', () => {
  itWith('finishes what runs and refuses what comes', module('finishing', '', SLOW), async (host) => {
    await host.fetch('/api/v1/finishing/ok');
    const slow = moduleOf(host, 'finishing');
    const running = host.fetch('/api/v1/finishing/slow');
    await until(() => [...slow.instances].some(({ busy }) => busy > 0));
    const stopping = slow.stop(5_000);
    const refused = await host.fetch('/api/v1/finishing/ok');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await refused.json()).toMatchObject({ code: 'MODULE_UNAVAILABLE' });
    expect((await running).status).toBe(200);
    await stopping;
    expect(slow.state).toBe('stopped');
  });

  itWith(
    'is stopped from every state, twice, and at the same time as it falls asleep',
    module('booting', '', `override async initialize() { await wait(200); }`),
    async (host) => {
      const slow = moduleOf(host, 'booting');
      const boot = host.fetch('/api/v1/booting/ok');
      await until(() => slow.state === 'starting');
      await Promise.all([slow.stop(0), slow.stop(0)]);
      expect((await boot).status).toBe(503);
      expect(slow.state).toBe('stopped');
      expect(slow.instances.size).toBe(0);
      await slow.stop(0);
    },
  );

  itWith('right after it fell asleep, or while it does, stays stopped', module('dozing', '', SLOW), async (host) => {
    const slow = moduleOf(host, 'dozing');
    await host.fetch('/api/v1/dozing/ok');
    const asleep = slow.sleepIfIdle(Number.MAX_SAFE_INTEGER);
    await Promise.all([slow.stop(0), asleep]);
    expect(slow.state).toBe('stopped');
  });
});

describe('a request that meets a module', () => {
  itWith(
    'which is just falling asleep wakes it again and is answered',
    module('drowsy', '', `override async shutdown() { await wait(100); }`),
    async (host) => {
      const sleepy = moduleOf(host, 'drowsy');
      for (let round = 0; round < 5; round++) {
        await host.fetch('/api/v1/drowsy/ok');
        const asleep = sleepy.sleepIfIdle(Number.MAX_SAFE_INTEGER);
        expect(sleepy.state).toBe('draining');
        const answers = await Promise.all(Array.from({ length: 5 }, () => host.fetch('/api/v1/drowsy/ok')));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
        await asleep;
      }
    },
  );

  itWith('at any moment of its falling asleep is answered', module('restless', '', ''), async (host) => {
    const sleepy = moduleOf(host, 'restless');
    let over = false;
    const requests = (async () => {
      for (let count = 0; count < 80; count++) {
        const response = await host.fetch('/api/v1/restless/ok');
        expect(response.status, await response.text()).toBe(200);
      }
      over = true;
    })();
    const sleeping = (async () => {
      while (!over) {
        await sleepy.sleepIfIdle(Number.MAX_SAFE_INTEGER);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all([requests, sleeping]);
  });

  itWith('whose thread is just being ended is run again in a new one', module('ended', '', SLOW), async (host) => {
    await host.fetch('/api/v1/ended/ok');
    const one = moduleOf(host, 'ended');
    const [instance] = one.instances;
    const running = host.fetch('/api/v1/ended/slow');
    await until(() => (instance?.busy ?? 0) > 0);
    instance?.terminate('stuck', 'for this test');
    expect(one.state).toBe('running');
    const answers = await Promise.all([running, host.fetch('/api/v1/ended/ok'), host.fetch('/api/v1/ended/ok')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  itWith(
    'which was parked is refused, and says so to the operator with the true reason',
    module('dying', '', `@moduleEndpoint('GET /die') die() { return {}; }`),
    async (host) => {
      const dying = moduleOf(host, 'dying');
      for (let crash = 0; dying.state !== 'parked' && crash < 20; crash++) {
        // The backoff of before is not what this test is about.
        const answered = await host.fetch('/api/v1/dying/ok');
        if (answered.status === 503) break;
        const [instance] = dying.instances;
        instance?.terminate('stuck', `crash ${crash}`);
        await instance?.ended;
      }
      expect(['crashed', 'parked']).toContain(dying.state);
      expect(dying.reasons.join()).toContain('stuck: crash 1');
    },
  );
});
