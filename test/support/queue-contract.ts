/** What every backend of the queue does alike; each backend's own test file runs it. */
import type { Job, Processor, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { until } from './until.ts';

export interface QueuePlace {
  /** As a host does it; a place that is not exclusive may be opened several times at once. */
  open(events: BackendEvents): Promise<QueueBackend>;
  readonly exclusive: boolean;
  /** Ends the server for real and starts it again where it was; absent where there is no server. */
  readonly server?: { stop(): Promise<void>; start(): Promise<void> };
  end(): Promise<void>;
}

export interface RecordedEvents extends BackendEvents {
  readonly changes: { readonly online: boolean; readonly reason: string }[];
  readonly errors: Error[];
}

export function recordEvents(): RecordedEvents {
  const changes: RecordedEvents['changes'] = [];
  const errors: Error[] = [];
  return {
    changes,
    errors,
    onOnline: (online, reason) => void changes.push({ online, reason }),
    onError: (error) => void errors.push(error),
  };
}

/** Runs the suite; `missing` says what has to be installed first, and skips it, or fails where CI runs. */
export function describeBackend(
  name: string,
  start: () => Promise<QueuePlace>,
  { missing, hasServer = true }: { readonly missing?: string | undefined; readonly hasServer?: boolean } = {},
): void {
  if (missing !== undefined) {
    if (process.env.CI) throw new Error(`The tests of ${name} cannot run: ${missing}`);
    console.warn(`Skipped: the tests of ${name}. ${missing}`);
  }
  describe.skipIf(missing !== undefined)(name, () => {
    let place: QueuePlace;
    beforeAll(async () => {
      place = await start();
    });
    afterAll(() => place?.end());

    const open = async (events: BackendEvents = recordEvents()): Promise<QueueBackend> => {
      const backend = await place.open(events);
      onTestFinished(() => backend.close());
      return backend;
    };
    const consume = (backend: QueueBackend, queue: string, run: Processor, concurrency = 1): Worker =>
      backend.consume(queue, run, { concurrency });

    it('runs a job once and keeps what it answered', async () => {
      const backend = await open();
      const seen: unknown[] = [];
      consume(backend, 'once', async (job) => {
        seen.push(job.data);
        return { sum: 3 };
      });
      const job = await backend.queue('once').add('task', { a: 1 });
      await until(async () => (await job.getState()) === 'completed');
      expect(seen).toEqual([{ a: 1 }]);
      const ended = await backend.queue('once').getJob(job.id ?? '');
      expect(ended?.returnvalue).toEqual({ sum: 3 });
      expect(ended?.queueName).toBe('once');
    });

    it('gives the same queue for the same name', async () => {
      const backend = await open();
      expect(backend.queue('same')).toBe(backend.queue('same'));
      expect(backend.queue('same').name).toBe('same');
    });

    it('holds a delayed job back until it is due', async () => {
      const backend = await open();
      const ran: number[] = [];
      consume(backend, 'delayed', async () => void ran.push(Date.now()));
      const added = Date.now();
      await backend.queue('delayed').add('task', {}, { delay: 700 });
      await until(() => ran.length === 1);
      expect((ran[0] ?? 0) - added).toBeGreaterThanOrEqual(690);
      expect((ran[0] ?? 0) - added).toBeLessThan(3000);
    });

    it('runs what has no priority first, then lower numbers before higher ones', async () => {
      const backend = await open();
      const queue = backend.queue('priority');
      for (const [name, priority] of Object.entries({ low: 30, high: 10, normal: 20, none: 0 })) {
        await queue.add(name, {}, { priority });
      }
      const ran: string[] = [];
      consume(backend, 'priority', async (job) => void ran.push(job.name));
      await until(() => ran.length === 4);
      expect(ran).toEqual(['none', 'high', 'normal', 'low']);
    });

    it('tries again with a growing pause, and says in the end why it failed', async () => {
      const backend = await open();
      const tries: number[] = [];
      consume(backend, 'retry', async () => {
        tries.push(Date.now());
        throw new Error(`try ${tries.length}`);
      });
      const options = { attempts: 3, backoff: { type: 'exponential', delay: 200 } };
      const job = await backend.queue('retry').add('task', {}, options);
      await until(async () => (await job.getState()) === 'failed');
      expect(tries).toHaveLength(3);
      expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(190);
      expect((tries[2] ?? 0) - (tries[1] ?? 0)).toBeGreaterThanOrEqual(390);
      const ended = await backend.queue('retry').getJob(job.id ?? '');
      expect(ended?.failedReason).toBe('try 3');
      expect(ended?.attemptsMade).toBe(3);
    });

    it('runs each slot of a schedule once, at its second, although two hosts set it up', async () => {
      const hosts = [await open()];
      if (!place.exclusive) hosts.push(await open());
      const slots: string[] = [];
      for (const host of hosts) consume(host, 'slots', async (job: Job) => void slots.push(String(job.id)));
      const every = { pattern: '* * * * * *', tz: 'UTC' };
      const set = (host: QueueBackend) => host.queue('slots').upsertJobScheduler('m:t', every, { name: 't', data: {} });
      await Promise.all(hosts.map(set));
      await until(() => slots.length >= 3);
      await hosts[0]?.queue('slots').removeJobScheduler('m:t');
      expect(new Set(slots).size).toBe(slots.length);
      for (const slot of slots) expect(slot).toMatch(/^repeat:m:t:\d+000$/);
    });

    it('keeps what a job was given letter for letter, as JSON text', async () => {
      const backend = await open();
      const text = JSON.stringify({ z: 1, a: 'nul \u0000, quote " and \ud83d\ude00', n: 1e21 });
      const seen: string[] = [];
      consume(backend, 'text', async (job) => {
        seen.push(job.data.text);
        return JSON.stringify(job.data.text);
      });
      const job = await backend.queue('text').add('task', { text });
      await until(async () => (await job.getState()) === 'completed');
      expect(seen).toEqual([text]);
      expect((await backend.queue('text').getJob(job.id ?? ''))?.returnvalue).toBe(JSON.stringify(text));
    });

    it('ends a run whatever it says: NUL and half of a character are no reason to run it again', async () => {
      const backend = await open();
      const queue = backend.queue('broken text');
      const runs: string[] = [];
      consume(backend, 'broken text', async (job) => {
        runs.push(job.name);
        if (job.name === 'throws') throw new Error('no: \ud83d\0');
        await job.updateProgress({ note: '\ud83d\0' });
        await job.log('a\0\ud83d');
        return { 'k\0': '\ud83d', fine: '😀 \\u0000' };
      });
      const states = async (jobs: readonly Job[]) => Promise.all(jobs.map((job) => job.getState()));
      const jobs = [
        await queue.add('returns', {}),
        await queue.add('throws', {}),
        await queue.add('throws', {}, { attempts: 2 }),
        await queue.add('throws', {}, { attempts: 2, backoff: { type: 'fixed', delay: 10 } }),
      ];
      await until(async () => (await states(jobs)).every((state) => state === 'completed' || state === 'failed'));
      expect(await states(jobs)).toEqual(['completed', 'failed', 'failed', 'failed']);
      expect(runs.toSorted()).toEqual(['returns', ...Array(5).fill('throws')]);
      const [returned, failed] = await Promise.all(jobs.map((job) => queue.getJob(job.id ?? '')));
      expect(Object.values(returned?.returnvalue)).toEqual(expect.arrayContaining([expect.anything(), '😀 \\u0000']));
      expect(failed?.failedReason).toMatch(/^no: /);
      expect((await queue.getJobLogs(jobs[0]?.id ?? '')).logs).toHaveLength(1);
    });

    it('runs several jobs of one consumer at a time, and never more than it was told', async () => {
      const backend = await open();
      let running = 0;
      let most = 0;
      let ended = 0;
      const run = async () => {
        most = Math.max(most, ++running);
        // The first wait for company, however slow the machine is; then there is time for one too many.
        await until(() => most >= 3);
        await new Promise((resolve) => setTimeout(resolve, 50));
        running--;
        ended++;
      };
      consume(backend, 'parallel', run, 3);
      await backend
        .queue('parallel')
        .addBulk(Array.from({ length: 9 }, (_, data) => ({ name: 'task', data: { data } })));
      await until(() => ended === 9);
      expect(most).toBe(3);
    });

    it('reads, lists, writes and deletes records', async () => {
      const { records } = await open();
      await records.write('pause:a*b:x', 'one');
      await records.write('pause:a*b:y', 'two');
      await records.write('pause:acb:z', 'other');
      await records.write('pause:a*b:y', 'three');
      expect(await records.read('pause:a*b:y')).toBe('three');
      expect(await records.read('pause:none')).toBeUndefined();
      expect([...(await records.list('pause:a*b:'))]).toEqual([
        ['pause:a*b:x', 'one'],
        ['pause:a*b:y', 'three'],
      ]);
      await records.delete('pause:a*b:x');
      await records.delete('pause:none');
      expect([...(await records.list('pause:a*b:')).keys()]).toEqual(['pause:a*b:y']);
    });

    it('never gives two hosts the same number of a counter', async () => {
      const hosts = [await open()];
      if (!place.exclusive) hosts.push(await open());
      const sums = await Promise.all(
        hosts.flatMap((host) => Array.from({ length: 20 }, () => host.records.increment('failures:m:t'))),
      );
      expect(new Set(sums)).toEqual(new Set(Array.from({ length: sums.length }, (_, at) => at + 1)));
      expect(await hosts[0]?.records.read('failures:m:t')).toBe(String(sums.length));
    });

    it('forgets a consumer that its owner closed, and another one takes over', async () => {
      const backend = await open();
      const ran: string[] = [];
      const first = consume(backend, 'takeover', async () => void ran.push('first'));
      await first.waitUntilReady();
      await first.close();
      const job = await backend.queue('takeover').add('task', {});
      consume(backend, 'takeover', async () => void ran.push('second'));
      await until(async () => (await job.getState()) === 'completed');
      expect(ran).toEqual(['second']);
    });

    it('finishes what is under way when it closes, and can be closed twice', async () => {
      const backend = await open();
      let ended = false;
      let begun = false;
      consume(backend, 'close', async () => {
        begun = true;
        await new Promise((resolve) => setTimeout(resolve, 300));
        ended = true;
      });
      await backend.queue('close').add('task', {});
      await until(() => begun);
      await Promise.all([backend.close(), backend.close()]);
      expect(ended).toBe(true);
      await backend.close();
      expect(() => backend.queue('late')).toThrow(/was closed/);
    });

    it('leaves nothing open when it was closed', async () => {
      const before = openHandles();
      const backend = await open();
      consume(backend, 'handles', async () => undefined);
      const job = await backend.queue('handles').add('task', {});
      await until(async () => (await job.getState()) === 'completed');
      await backend.close();
      await until(() => openHandles() <= before);
    });

    it('tells nobody of errors or changes while all is well', async () => {
      const events = recordEvents();
      const backend = await open(events);
      consume(backend, 'quiet', async () => undefined);
      const job = await backend.queue('quiet').add('task', {});
      await until(async () => (await job.getState()) === 'completed');
      await backend.close();
      expect(events).toMatchObject({ changes: [], errors: [] });
    });

    if (!hasServer) return;
    describe('when its server ends and comes back', () => {
      const server = () => {
        if (!place.server) throw new Error('This place has no server.');
        return place.server;
      };

      it('refuses producers at once, goes on by itself, and says so once each way', async () => {
        const events = recordEvents();
        const backend = await open(events);
        const ran: string[] = [];
        consume(backend, 'outage', async (job) => void ran.push(job.name));
        await backend.queue('outage').add('before', {});
        // Its end is on record: a server that goes away before it said so is asked again, and would complain of that.
        await until(async () => (await backend.queue('outage').getCompletedCount()) === 1);

        await server().stop();
        await until(() => !backend.online);
        const asked = Date.now();
        const refused = [backend.queue('outage').add('lost', {}), backend.queue('new').add('lost', {})];
        const attempts = await Promise.allSettled([...refused, backend.records.increment('outage')]);
        expect(attempts.map((attempt) => attempt.status)).toEqual(['rejected', 'rejected', 'rejected']);
        expect(Date.now() - asked).toBeLessThan(15_000);
        await new Promise((resolve) => setTimeout(resolve, 3000));

        await server().start();
        await until(() => backend.online);
        await backend.queue('outage').add('after', {});
        consume(backend, 'new', async (job) => void ran.push(job.name));
        await backend.queue('new').add('after', {});
        await until(() => ran.length >= 3);
        expect(ran).toEqual(['before', 'after', 'after']);
        expect(events.changes.map(({ online }) => online)).toEqual([false, true]);
        expect(events.errors).toEqual([]);
      });

      it('loses nothing: what ran meanwhile is completed, what waited and what was due runs', async () => {
        const events = recordEvents();
        const backend = await open(events);
        const queue = backend.queue('kept');
        const begun: string[] = [];
        let finish = () => {};
        const finished = new Promise<void>((resolve) => {
          finish = resolve;
        });
        consume(backend, 'kept', async (job) => {
          begun.push(job.name);
          if (job.name === 'long') await finished;
        });
        const long = await queue.add('long', {});
        await until(() => begun.length === 1);
        await queue.add('waiting', {});
        await queue.add('due', {}, { delay: 500 });

        await server().stop();
        await until(() => !backend.online);
        finish();
        await new Promise((resolve) => setTimeout(resolve, 2000));
        await server().start();
        await until(() => backend.online && begun.length === 3);
        await until(async () => (await long.getState()) === 'completed');
        await until(async () => (await queue.getJobCountByTypes('active', 'wait', 'delayed')) === 0);
        expect(begun).toEqual(['long', 'waiting', 'due']);
        expect(await queue.getCompletedCount()).toBe(3);
        expect(events.changes.map(({ online }) => online)).toEqual([false, true]);
        expect(events.errors).toEqual([]);
      });

      it('can be closed while the server is away', async () => {
        const before = openHandles();
        const backend = await open();
        consume(backend, 'away', async () => undefined);
        await backend.queue('away').add('task', {});
        await server().stop();
        await until(() => !backend.online);
        const asked = Date.now();
        await backend.close();
        expect(Date.now() - asked).toBeLessThan(15_000);
        await server().start();
        await until(() => openHandles() <= before);
      });
    });
  });
}

/** Sockets and pipes of this process. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|Pipe|Message|Worker/.test(kind)).length;
}
