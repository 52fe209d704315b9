/** Runs that are under way when something goes away: another host, the server of the queue, the host itself in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostPlace, hostPlace } from '../support/host-place.ts';
import { missingRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { reportingConfig, reportingModule } from '../support/reporting-module.ts';
import { startCrowd } from '../support/task-crowd.ts';
import { type Ledger, startLedger } from '../support/task-ledger.ts';
import { until } from '../support/until.ts';

const SKIP = missingRedis !== undefined && process.env.CI === undefined;
const BECAUSE = missingRedis === undefined ? '' : ` (${missingRedis})`;
/** PLEXI_OUTAGE_MS=10000 for the full bar. */
const OUTAGE_MS = Number(process.env.PLEXI_OUTAGE_MS ?? 3_000);
/** On Redis the lock of a dead host ends by itself after 30 s, and is missed at the next look but one, 15 s each. */
const TAKEOVER_MS = 75_000;

let redis: RedisServer | undefined;
let installation = 0;
beforeAll(async () => {
  if (missingRedis === undefined) redis = await startRedis();
});
afterAll(() => redis?.remove());

const onRedis = () => ['--redis', redis?.url ?? ''];

function placeFor({ port }: Ledger, flags: readonly string[], prefix: string): Promise<HostPlace> {
  return hostPlace({
    modules: reportingModule(port),
    config: `${reportingConfig(port)}tasks: { prefix: ${prefix}, grace_seconds: 1 }\n`,
    flags,
    hasQueue: flags.length === 0,
  });
}

/** @returns the ids of runs that go on until they are told to stop */
async function holdRuns(place: HostPlace, ledger: Ledger, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const answer = await place.fetch('/api/v1/orders/hold', { method: 'POST' });
    expect(answer.status).toBe(202);
    ids.push(((await answer.json()) as { id: string }).id);
  }
  await until(() => ids.every((id) => ledger.of(id).length === 1));
  return ids;
}

const attemptsOf = (ledger: Ledger, ids: readonly string[]) =>
  ids.map((id) => ledger.of(id).map(({ attempt }) => attempt));

describe('a host that is killed in the middle of runs', () => {
  test('runs them again as soon as it is back, on the embedded queue', { timeout: 90_000 }, async () => {
    const ledger = await startLedger();
    const place = await placeFor(ledger, [], 'killed');
    const first = place.launch();
    await first.ready;
    const ids = await holdRuns(place, ledger, 3);
    await first.end('SIGKILL');
    const second = place.launch();
    await second.ready;
    await until(() => second.lines().some(({ msg }) => msg === 'the task queue is open'));
    const opened = Date.now();
    await until(() => ids.every((id) => ledger.of(id).length === 2));
    expect(attemptsOf(ledger, ids)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    // Nobody waits for a lock whose holder is known to be dead.
    expect(Date.now() - opened).toBeLessThan(15_000);
  });

  test.skipIf(SKIP)(
    `has them taken over by another host, which goes on with everything else meanwhile, on Redis${BECAUSE}`,
    { timeout: TAKEOVER_MS + 60_000 },
    async () => {
      const ledger = await startLedger();
      const prefix = `outage${installation++}`;
      const one = await placeFor(ledger, onRedis(), prefix);
      const other = await placeFor(ledger, onRedis(), prefix);
      const first = one.launch();
      await first.ready;
      const ids = await holdRuns(one, ledger, 3);
      const second = other.launch();
      await second.ready;
      await first.end('SIGKILL');
      const since = new Date(Date.now() + 1_000).toISOString();
      const crowd = startCrowd(other, '/api/v1/orders/add', ledger);
      await until(() => ids.every((id) => ledger.of(id).length === 2), TAKEOVER_MS);
      await crowd.stop();
      await until(() => ledger.missing().length === 0);
      expect(attemptsOf(ledger, ids)).toEqual([
        [1, 2],
        [1, 2],
        [1, 2],
      ]);
      expect(ledger.doubled()).toEqual([]);
      expect(crowd.answers.get(202)).toBe(ledger.promised.size);
      expect(gapsOf(ledger, since)).toEqual([]);
    },
  );
});

/** Slots that were left out, from then on. */
function gapsOf({ reports }: Ledger, since: string): string[] {
  const slots = [...new Set(reports.map(({ slot }) => slot))].filter((slot) => slot !== null && slot > since).sort();
  return slots.flatMap((slot, index) => {
    const before = slots[index - 1];
    return before === undefined || Date.parse(slot ?? '') - Date.parse(before ?? '') === 1_000 ? [] : [`${slot}`];
  });
}

test.skipIf(SKIP)(
  `while Redis is away HTTP goes on, nothing that was promised is lost, and tasks go on by themselves${BECAUSE}`,
  { timeout: OUTAGE_MS + 120_000 },
  async () => {
    const ledger = await startLedger();
    const place = await placeFor(ledger, onRedis(), `outage${installation++}`);
    const host = place.launch();
    await host.ready;
    const crowd = startCrowd(place, '/api/v1/orders/add', ledger);
    const pings = startPings(place);
    await until(() => ledger.reports.length > 50);

    await redis?.stop('SIGKILL');
    await sleep(OUTAGE_MS);
    const refused = crowd.answers.get(503) ?? 0;
    const promisedBefore = ledger.promised.size;
    await redis?.start();
    const back = new Date().toISOString();
    await until(() => ledger.promised.size > promisedBefore + 50);
    await until(() => ledger.reports.some(({ slot }) => slot !== null && slot > back));
    await crowd.stop();
    await until(() => ledger.missing().length === 0, TAKEOVER_MS);
    expect(ledger.doubled()).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    // Requests for runs were refused or taken, and nothing else.
    expect([...crowd.answers.keys()].toSorted()).toEqual([202, 503]);

    const { statuses, slowestMs } = await pings.stop();
    expect([...statuses]).toEqual([200]);
    // Nobody waited until Redis was back.
    expect(slowestMs).toBeLessThan(8_000);
    // Each refused request has its own line, as any answer of 503 has.
    const told = host
      .lines()
      // Events and the cache of modules use the same Redis, and say so themselves.
      .filter(({ level, msg }) => (level >= 40 || msg.startsWith('the task queue')) && msg !== 'request failed')
      .filter(({ msg }) => !/^(?:events|the cache of modules) /.test(msg));
    expect(told.map(({ msg, err }) => (err === undefined ? msg : { msg, err }))).toEqual([
      'the task queue is open',
      'the task queue cannot be reached; tasks wait, everything else goes on',
      'the task queue is back; tasks go on',
    ]);
  },
);

function startPings(place: HostPlace) {
  const statuses = new Set<number>();
  let slowestMs = 0;
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      const start = performance.now();
      const answer = await place.fetch('/api/v1/orders/ping').catch(() => undefined);
      await answer?.text();
      statuses.add(answer?.status ?? 0);
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await sleep(20);
    }
  };
  const running = run();
  return {
    async stop() {
      stopped = true;
      await running;
      return { statuses, slowestMs };
    },
  };
}

const KINDS = [
  { kind: 'the embedded queue', skip: false, because: '', flags: () => [] },
  { kind: 'Redis', skip: SKIP, because: BECAUSE, flags: onRedis },
] as const;

describe.each(KINDS)('a host that is told to stop, on $kind', ({ skip, because, flags }) => {
  test.skipIf(skip)(
    `ends cleanly, and gives the runs under way back to whoever comes next${because}`,
    { timeout: 120_000 },
    async () => {
      const ledger = await startLedger();
      const place = await placeFor(ledger, flags(), `outage${installation++}`);
      const first = place.launch();
      await first.ready;
      const ids = await holdRuns(place, ledger, 2);
      const crowd = startCrowd(place, '/api/v1/orders/add', ledger);
      await until(() => ledger.promised.size > 50);
      expect(await first.end('SIGTERM')).toBe(0);
      expect(first.lines().filter(({ level }) => level >= 40)).toEqual([]);

      const second = place.launch();
      await second.ready;
      const start = Date.now();
      await crowd.stop();
      await until(() => ids.every((id) => ledger.of(id).length === 2) && ledger.missing().length === 0);
      // A run that was given back has no lock that somebody would have to wait for.
      expect(Date.now() - start).toBeLessThan(15_000);
      expect(attemptsOf(ledger, ids)).toEqual([
        [1, 2],
        [1, 2],
      ]);
      expect(ledger.doubled()).toEqual([]);
    },
  );
});
