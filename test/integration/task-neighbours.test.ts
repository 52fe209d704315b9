/** A module that keeps the processor busy harms nobody else's runs: their locks are held, and they go on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { missingRedis, startRedis } from '../support/redis-server.ts';
import { startTestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const FILES = {
  'burner/config.yaml': 'module_name: burner\nmodule_version: 1.0.0\nauto_load: true\n',
  'burner/module.ts': `
import { BaseModule, moduleTask } from '@plexichat/sdk';
export default class BurnerModule extends BaseModule {
  @moduleTask({ schedule: false, timeout: 60 })
  burn() {
    const end = Date.now() + 3_000;
    while (Date.now() < end);
  }
}
`,
  'quiet/config.yaml': 'module_name: quiet\nmodule_version: 1.0.0\nauto_load: true\n',
  'quiet/module.ts': `
import { BaseModule, moduleTask } from '@plexichat/sdk';
export default class QuietModule extends BaseModule {
  @moduleTask({ schedule: false })
  async nap({ job }) {
    await new Promise((resolve) => setTimeout(resolve, job.data));
  }
}
`,
};
/** One after the other on one thread: longer than the locks of the embedded queue live. */
const BURNS = 4;
const SHORT_MS = 100;
const LONG_MS = 11_000;

const KINDS = [
  { kind: 'the embedded queue', missing: undefined },
  { kind: 'Redis', missing: missingRedis },
] as const;

describe.each(KINDS)('a task that burns the processor, on $kind', ({ kind, missing }) => {
  const skip = missing !== undefined && process.env.CI === undefined;
  const because = missing === undefined ? '' : ` (${missing})`;
  test.skipIf(skip)(`takes no run of others away${because}`, { timeout: 120_000 }, async () => {
    const redis = kind === 'Redis' ? await startRedis() : undefined;
    const at = await startTestHost({
      files: FILES,
      settings: redis === undefined ? {} : { redis: redis.url },
      hasQueue: redis === undefined,
    });
    onTestFinished(async () => {
      await at.close();
      await redis?.remove();
    });
    const { tasks } = at.host;
    const nap = (milliseconds: number) => tasks.run('quiet', 'nap', milliseconds, 'olga');
    const stateOf = async (task: string, module: string) =>
      (await tasks.runs(module, task, 200)).map(({ state }) => state);

    await nap(LONG_MS);
    for (let burn = 0; burn < BURNS; burn++) await tasks.run('burner', 'burn', null, 'olga');
    let naps = 0;
    while ((await stateOf('burn', 'burner')).some((state) => state !== 'completed')) {
      naps += 1;
      await nap(SHORT_MS);
      await sleep(SHORT_MS);
    }
    await until(async () => (await stateOf('nap', 'quiet')).every((state) => state === 'completed'));

    const runs = await tasks.runs('quiet', 'nap', 200);
    expect(runs).toHaveLength(Math.min(naps + 1, 200));
    expect(naps).toBeGreaterThan(30);
    expect(runs.filter(({ interruptions, attempt }) => interruptions > 0 || attempt > 1)).toEqual([]);
    const waits = runs.map((run) => Date.parse(run.started_at ?? '') - Date.parse(run.created_at ?? ''));
    // Behind a burn it would have waited for three seconds.
    expect(Math.max(...waits)).toBeLessThan(2_900);
    expect((await tasks.runs('burner', 'burn', 10)).map(({ interruptions }) => interruptions)).toEqual([0, 0, 0, 0]);
  });
});
