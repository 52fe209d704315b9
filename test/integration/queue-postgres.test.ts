import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { openPostgresBackend, type PostgresSettings } from '../../runtime/queue/postgres.ts';
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { describeBackend, recordEvents } from '../support/queue-contract.ts';
import { freePort } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const settings = (url: string, more: Partial<PostgresSettings> = {}): PostgresSettings => ({
  url,
  prefix: 'test',
  keepMs: 60_000,
  ...more,
});

describeBackend(
  'the queue on PostgreSQL',
  async () => {
    const server = await startPostgres();
    return {
      open: (events) => openPostgresBackend(settings(server.url), events),
      exclusive: false,
      server,
      end: () => server.remove(),
    };
  },
  { missing: missingPostgres },
);

describe.skipIf(missingPostgres !== undefined)('PostgreSQL, and what may be wrong with it', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.remove());

  const open = async (more: Partial<PostgresSettings> = {}, events: BackendEvents = recordEvents()) => {
    const backend = await openPostgresBackend(settings(server.url, more), events);
    onTestFinished(() => backend.close());
    return backend;
  };
  /** Says what an operator would, besides the backend. */
  const administer = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client(server.url);
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const complete = async (backend: QueueBackend, queue: string) => {
    const job = await backend.queue(queue).add('task', {});
    await until(async () => (await job.getState()) === 'completed');
  };

  it('says which server cannot be reached, without the password, and what to do', async () => {
    const port = await freePort();
    const url = `postgres://alice:s3cret@127.0.0.1:${port}/tasks`;
    const refusal = await openPostgresBackend(settings(url), recordEvents()).catch((error: unknown) => error);
    expect(String(refusal)).toBe(
      `Error: PostgreSQL at postgres://127.0.0.1:${port}/tasks cannot be used for tasks: ` +
        `connect ECONNREFUSED 127.0.0.1:${port}. ` +
        'Check that it runs, that its user may create schemas, and "queue" of plexi.yaml.',
    );
  });

  it('says that the database is missing', async () => {
    const refused = open({ url: server.url.replace('/postgres', '/none') });
    await expect(refused).rejects.toThrow(/database "none" does not exist/);
  });

  it('shows nothing of a URL that cannot be read', async () => {
    const refused = open({ url: 'postgres://alice:s3cret@[nowhere/tasks' });
    await expect(refused).rejects.toThrow(/URL in "queue"/);
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });

  it('is set up by several hosts that start in the same moment', async () => {
    await administer('DROP SCHEMA IF EXISTS bullmq, plexichat CASCADE');
    const hosts = await Promise.all(Array.from({ length: 4 }, () => open()));
    const sums = await Promise.all(hosts.map((host) => host.records.increment('together')));
    expect(sums.toSorted()).toEqual([1, 2, 3, 4]);
  });

  it('keeps options that its URL brings, next to its own', async () => {
    const refused = open({ url: `${server.url}?options=-c%20default_transaction_read_only%3Don` });
    await expect(refused).rejects.toThrow(/read-only transaction/);
  });

  it('needs few connections however many consumers there are', async () => {
    const backend = await open();
    const names = Array.from({ length: 40 }, (_, at) => `many ${at}`);
    let ran = 0;
    for (const name of names) backend.consume(name, async () => void ran++, { concurrency: 4 });
    await Promise.all(names.map((name) => backend.queue(name).add('task', {})));
    await until(() => ran === 40);
    const connections = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'plexichat'";
    const [row] = await administer(connections);
    expect(row?.count).toBeLessThanOrEqual(11);
  });

  it('wakes an idle consumer at once, also after the connection that listens was cut', async () => {
    const events = recordEvents();
    const backend = await open({}, events);
    const ran: number[] = [];
    const consumer = backend.consume('wake', async (job) => void ran.push(Date.now() - job.timestamp), {
      concurrency: 1,
    });
    await consumer.waitUntilReady();
    const idle = () =>
      administer("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%LISTEN bullmq_jobs%' AND pid <> pg_backend_pid()");
    await until(async () => (await idle()).length === 1);
    await backend.queue('wake').add('task', {});
    await until(() => ran.length === 1);
    const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plexichat'";
    await administer(cut);
    await until(async () => (await idle()).length === 1);
    await until(() => backend.online);
    await backend.queue('wake').add('task', {});
    await until(() => ran.length === 2);
    expect(Math.max(...ran)).toBeLessThan(1500);
    expect(events.errors).toEqual([]);
  });

  it('loses no job when every connection is cut', async () => {
    const backend = await open();
    const ran: string[] = [];
    backend.consume('cut', async (job) => void ran.push(job.name), { concurrency: 3 });
    for (let at = 0; at < 30; at++) {
      const add = () => backend.queue('cut').add(`job ${at}`, {});
      await until(() => add().then(Boolean, () => false));
      if (at % 10 !== 5) continue;
      await administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plexichat'");
    }
    await until(() => new Set(ran).size === 30);
  });

  it('does not spin when PostgreSQL refuses, says so once, and goes on when it does not', async () => {
    const events = recordEvents();
    const backend = await open({}, events);
    for (const name of ['one', 'two', 'three']) backend.consume(name, async () => undefined, { concurrency: 5 });
    await complete(backend, 'one');
    await administer('ALTER TABLE bullmq.job RENAME TO hidden');
    const before = await failures();
    await until(() => events.errors.length > 0, 25_000);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await failures()) - before).toBeLessThan(60);
    expect(new Set(events.errors.map(({ message }) => message)).size).toBe(events.errors.length);
    expect(events.changes).toEqual([]);
    await administer('ALTER TABLE bullmq.hidden RENAME TO job');
    await complete(backend, 'one');
  }, 60_000);

  it('fails no job although three hosts collide over its queue', async () => {
    const hosts = await Promise.all([open(), open(), open()]);
    const events = recordEvents();
    const ran = new Set<string>();
    for (const host of hosts) host.consume('busy', async (job) => void ran.add(String(job.id)), { concurrency: 10 });
    const jobs = Array.from({ length: 100 }, (_, data) => ({
      name: 'task',
      data: { data },
      opts: { priority: 1 + (data % 5) },
    }));
    await Promise.all(hosts.map((host) => host.queue('busy').addBulk(jobs)));
    await until(() => ran.size === 300);
    const queue = hosts[0]?.queue('busy');
    await until(async () => (await queue?.getCompletedCount()) === 300);
    expect(await queue?.getFailedCount()).toBe(0);
    expect(events.errors).toEqual([]);
  });

  it('keeps installations with different prefixes apart', async () => {
    const one = await open({ prefix: 'one' });
    const two = await open({ prefix: 'two' });
    await one.queue('shared').add('task', {});
    await one.records.write('key', 'of one');
    expect(await two.queue('shared').getWaitingCount()).toBe(0);
    expect(await two.records.read('key')).toBeUndefined();
  });

  describe('among hosts whose clocks differ', () => {
    const HOUR_MS = 3_600_000;
    const timing = { lockMs: 2000, stalledMs: 200 };
    /** This process is every host, so its clock is wrong for one host after the other. */
    const setClock = (aheadMs: number) => {
      const real = Date.now;
      const wrong = vi.spyOn(Date, 'now').mockImplementation(() => real() + aheadMs);
      const correct = () => wrong.mockRestore();
      onTestFinished(correct);
      return correct;
    };
    const consume = (backend: QueueBackend, queue: string) => {
      const ran: (string | undefined)[] = [];
      const consumer = backend.consume(queue, async (job) => void ran.push(job.id), { concurrency: 1 });
      return { ran, consumer };
    };
    /** As if a host had taken the job and its lock ended so many milliseconds from now. */
    const take = async (queue: string, lockMs: number, name = `test.${queue}`) => {
      const backend = await open({ timing });
      const job = await backend.queue(queue).add('task', {});
      await administer(
        `UPDATE bullmq.job SET queue = '${name}', state = 'active', lock_token = 'other', locked_until_ms = ${ageOf(lockMs)}
          WHERE queue = 'test.${queue}'`,
      );
      return job;
    };
    const ageOf = (ms: number) => `(extract(epoch FROM clock_timestamp()) * 1000)::bigint + ${ms}`;
    const markOf = async (queue: string) => {
      const [row] = await administer(
        `SELECT value::bigint - (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ahead
           FROM bullmq.meta WHERE field = 'stalled-check' AND queue = 'test.${queue}'`,
      );
      return row === undefined ? undefined : Number(row.ahead);
    };

    it.each([HOUR_MS, -HOUR_MS])(
      'a host that is %i ms ahead keeps nobody from taking over a dead host’s run',
      async (ahead) => {
        const queue = `looked ${ahead}`;
        const correct = setClock(ahead);
        const wrong = await open({ timing });
        consume(wrong, queue);
        await until(async () => (await markOf(queue)) !== undefined);
        expect(Math.abs((await markOf(queue)) ?? Number.NaN)).toBeLessThan(10_000);
        await wrong.close();
        correct();
        const job = await take(queue, -1);
        const { ran } = consume(await open({ timing }), queue);
        await until(() => ran.includes(job.id));
      },
    );

    it('a host that is ahead leaves others their runs, and keeps its own', async () => {
      const job = await take('ahead', 10 * 60_000);
      const correct = setClock(HOUR_MS);
      const backend = await open({ timing: { lockMs: 10 * 60_000, stalledMs: 200 } });
      const { ran, consumer } = consume(backend, 'ahead');
      const stalled: string[] = [];
      consumer.on('stalled', (id) => stalled.push(id));
      const looks = new Set<unknown>();
      const look = async () => {
        const [row] = await administer(
          "SELECT value FROM bullmq.meta WHERE field = 'stalled-check' AND queue = 'test.ahead'",
        );
        looks.add(row?.value);
      };
      await until(() => look().then(() => looks.size > 5));
      expect([ran, stalled]).toEqual([[], []]);
      const own = await backend.queue('ahead').add('own', {});
      await until(() => ran.includes(own.id));
      correct();
      expect(await job.getState()).toBe('active');
    });

    it.each([HOUR_MS, -HOUR_MS])(
      'runs of a host that is %i ms ahead are locked by the server’s clock',
      async (ahead) => {
        const queue = `locked ${ahead}`;
        setClock(ahead);
        const backend = await open({ timing: { lockMs: 2000, stalledMs: 60_000 } });
        const finish = Promise.withResolvers<void>();
        backend.consume(queue, () => finish.promise, { concurrency: 1 });
        const job = await backend.queue(queue).add('task', {});
        const locks = new Set<number>();
        const look = async () => {
          const [row] = await administer(
            `SELECT locked_until_ms::bigint AS lock, locked_until_ms - (${ageOf(0)}) AS ends FROM bullmq.job
            WHERE queue = 'test.${queue}' AND state = 'active'`,
          );
          if (row === undefined) return;
          locks.add(Number(row.lock));
          expect(Number(row.ends)).toBeGreaterThan(0);
          expect(Number(row.ends)).toBeLessThan(2500);
        };
        // As it was taken, and renewed twice.
        await until(async () => look().then(() => locks.size > 2));
        finish.resolve();
        await until(async () => (await job.getState()) === 'completed');
      },
    );

    it('what hosts of another time left behind is mended by the server’s clock, and no other installation’s', async () => {
      const job = await take('left', HOUR_MS);
      await take('far', HOUR_MS, 'other.far');
      await administer(
        `INSERT INTO bullmq.meta (queue, field, value) SELECT 'test.left', 'stalled-check', (${ageOf(HOUR_MS)})::text`,
      );
      const { ran } = consume(await open({ timing: { lockMs: 500, stalledMs: 200 } }), 'left');
      await until(() => ran.includes(job.id));
      const [far] = await administer(
        `SELECT locked_until_ms - (${ageOf(0)}) AS ends FROM bullmq.job WHERE queue = 'other.far'`,
      );
      expect(Number(far?.ends)).toBeGreaterThan(HOUR_MS / 2);
    });

    it('says by how much its clock is wrong', async () => {
      const events = recordEvents();
      const correct = setClock(HOUR_MS);
      const backend = await open({ timing }, events);
      consume(backend, 'told');
      await until(() => events.errors.length > 0);
      correct();
      expect(events.errors.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^The clock of this host is 3600 s ahead of that of PostgreSQL at postgres:.*\(NTP\)\.$/),
      ]);
    });
  });

  async function failures(): Promise<number> {
    const [row] = await administer(
      'SELECT xact_rollback::int AS count FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(row?.count);
  }
});
