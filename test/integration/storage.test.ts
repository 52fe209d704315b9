/** A module's storage in the real host: it survives the host's end in any way; a broken one is told in plain words. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { StateError } from '../../runtime/state/state.ts';
import { hostPlace } from '../support/host-place.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const CONFIG = `module_name: counter
module_version: 1.0.0
api: { rate_limit: 1000000 }
security: { require_authentication: false }
`;
const COUNTER = {
  'counter/config.yaml': CONFIG,
  'counter/module.js': `import { BaseModule, HttpError } from '@plexichat/sdk';
let atLoad;
export default class Counter extends BaseModule {
  constructor() { super(); atLoad = this.storage.set('too-early', 1).then(() => 'kept', (error) => error.code); }
  setupRoutes() {
    this.router.post('/add', async () => {
      for (;;) {
        const seen = await this.storage.get('count');
        if (await this.storage.compareAndSet('count', seen, (seen ?? 0) + 1)) return { count: (seen ?? 0) + 1 };
      }
    });
    this.router.get('/count', async () => ({ count: (await this.storage.get('count')) ?? 0 }));
    this.router.get('/cached', async () => ({ value: await this.cache.getOrSet('k', () => Math.random()) }));
    this.router.get('/full', async () => {
      try { for (let n = 0; ; n++) await this.storage.set('big' + n, 'x'.repeat(300000)); }
      catch (error) { throw new HttpError(507, error.code + ': ' + error.message); }
    });
    this.router.get('/keys', async () => (await this.storage.list()).keys);
  }
}
`,
};

describe('the storage of a module in a host', () => {
  test('has every count that was answered, after kill -9 and after an orderly end', { timeout: 120_000 }, async () => {
    const place = await hostPlace({ modules: COUNTER });
    let answered = 0;
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
      const host = place.launch();
      await host.ready;
      expect((await count()).count).toBeGreaterThanOrEqual(answered);
      const client = async (): Promise<void> => {
        for (;;) {
          const { count: reached } = await add();
          answered = Math.max(answered, reached);
          if (answered % 100 < 10 && answered > 50) void host.child.kill(signal);
        }
      };
      await Promise.allSettled(Array.from({ length: 5 }, client));
      await host.exit;
    }
    const last = place.launch();
    await last.ready;
    expect(answered).toBeGreaterThan(100);
    expect((await count()).count).toBeGreaterThanOrEqual(answered);

    async function add(): Promise<{ count: number }> {
      const answer = await place.fetch('/api/v1/counter/add', { method: 'POST' });
      if (answer.status !== 200) throw new Error(`${answer.status}`);
      return (await answer.json()) as { count: number };
    }
    async function count(): Promise<{ count: number }> {
      return (await place.fetch('/api/v1/counter/count')).json() as Promise<{ count: number }>;
    }
  });

  describe('that is running', () => {
    let at: TestHost;
    afterAll(() => at?.close());

    test('is shared by instances, bounded, and not there before the module was admitted', async () => {
      at = await startTestHost({ files: COUNTER });
      const get = async (path: string): Promise<Record<string, unknown>> => {
        const answer = await at.fetch(`/api/v1/counter/${path}`);
        return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
      };
      const { value } = await get('cached');
      expect(await get('cached')).toEqual({ status: 200, value });
      expect(await get('full')).toMatchObject({
        status: 507,
        detail:
          "QUOTA_EXCEEDED: storage: this does not fit into the module's 1 MB. The permission storage:large allows more.",
      });
      // The constructor ran in the room where modules are asked what they declare as well: that left nothing.
      const keys = (await (await at.fetch('/api/v1/counter/keys')).json()) as string[];
      expect(keys).toEqual(['big0', 'big1', 'big2', 'too-early']);
    });
  });

  test('that is damaged keeps the host from starting, in one sentence', { timeout: 60_000 }, async () => {
    const data = join(tempFolder(), 'data');
    const first = await startTestHost({ settings: { data } });
    await first.close();
    writeFileSync(join(data, 'state.db'), 'x'.repeat(10_000));
    const again = startTestHost({ settings: { data } });
    await expect(again).rejects.toThrow(StateError);
    await expect(again).rejects.toThrow(/state\.db is damaged \(file is not a database\)\. Restore it from a backup/);
  });
});
