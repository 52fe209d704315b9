/**
 * What a queue is for: a host that is killed at any moment, under load, loses no run that it promised, and runs no slot
 * twice without saying so. PLEXI_KILLS=20 for the full bar.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostPlace, hostPlace } from '../support/host-place.ts';
import { missingRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { reportingConfig, reportingModule } from '../support/reporting-module.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startCrowd } from '../support/task-crowd.ts';
import { type Ledger, startLedger } from '../support/task-ledger.ts';
import { until } from '../support/until.ts';

const KILLS = Number(process.env.PLEXI_KILLS ?? 3);
/** A host lives this long under load, at most. */
const LIFE_MS = 3_000;
/** One kill in four comes while the host starts. */
const EARLY = 0.25;
const BOOT_MS = 1_500;
/** On Redis the lock of a dead host ends by itself after 30 s, and is missed at the next look but one, 15 s each. */
const RECOVERY_MS = 120_000;

let redis: RedisServer | undefined;
beforeAll(async () => {
  if (missingRedis === undefined) redis = await startRedis();
});
afterAll(() => redis?.remove());

const KINDS = [
  { kind: 'embedded', missing: undefined, flags: () => [] },
  { kind: 'Redis', missing: missingRedis, flags: () => ['--redis', redis?.url ?? ''] },
] as const;

describe.each(KINDS)('a host that is killed, on $kind', ({ kind, missing, flags }) => {
  const skip = missing !== undefined && process.env.CI === undefined;
  const because = missing === undefined ? '' : ` (${missing})`;

  test.skipIf(skip)(
    `loses no run that it promised, and doubles no slot${because}`,
    { timeout: KILLS * 20_000 + RECOVERY_MS + 60_000 },
    async () => {
      const random = seededRandom();
      const ledger = await startLedger();
      const place = await hostPlace({
        modules: reportingModule(ledger.port),
        config: `${reportingConfig(ledger.port)}tasks: { prefix: crash }\n`,
        flags: flags(),
        hasQueue: kind === 'embedded',
      });
      const first = place.launch();
      await first.ready;
      const crowd = startCrowd(place, '/api/v1/orders/add', ledger);
      await until(() => ledger.reports.length > 0, 60_000);
      let host = first;
      for (let kill = 0; kill < KILLS; kill++) {
        if (random() < EARLY) {
          await sleep(random() * BOOT_MS);
        } else {
          await host.ready;
          const before = ledger.promised.size;
          await until(() => ledger.promised.size > before, 60_000);
          await sleep(random() * LIFE_MS);
        }
        await host.end('SIGKILL');
        host = place.launch();
      }
      await host.ready;
      const lastStart = new Date().toISOString();
      await crowd.stop();

      await until(() => ledger.missing().length === 0, RECOVERY_MS).catch(() => {});
      expect(ledger.missing()).toEqual([]);
      // The schedule goes on, and what was cut off is run again: nothing stays marked as running.
      await until(() => ledger.reports.some(({ slot }) => slot !== null && slot > lastStart));
      await until(async () => (await activeRuns(place)).length === 0, RECOVERY_MS);
      expect(ledger.doubled()).toEqual([]);
      expect(ledger.promised.size).toBeGreaterThan(KILLS * 3);
      process.stdout.write(`${summary(kind, ledger)}\n`);
    },
  );
});

/** Older than the second that a scheduled run may take. */
async function activeRuns(place: HostPlace): Promise<string[]> {
  const found: string[] = [];
  for (const task of ['work', 'tick']) {
    const answer = await place.fetch(`/api/v1/tasks/orders/${task}/runs?limit=200`);
    const { runs } = (await answer.json()) as { runs: { id: string; state: string; started_at: string }[] };
    const stuck = runs.filter(
      ({ state, started_at }) => state === 'active' && Date.now() - Date.parse(started_at) > 3_000,
    );
    found.push(...stuck.map(({ id }) => id));
  }
  return found;
}

function summary(kind: string, { promised, reports }: Ledger): string {
  const slots = new Set(reports.map(({ slot }) => slot).filter((slot) => slot !== null));
  const again = reports.filter(({ attempt }) => attempt > 1).length;
  return `${kind}: ${KILLS} kills, ${promised.size} promised runs, ${slots.size} slots, ${again} starts that were not the first`;
}
