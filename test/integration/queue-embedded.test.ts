import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { QueueBackend } from '../../runtime/queue/backend.ts';
import { openEmbeddedBackend } from '../../runtime/queue/embedded.ts';
import { PglitePool } from '../../runtime/queue/pglite-pool.ts';
import { embeddedFolder, layDownDatabase } from '../support/embedded-folder.ts';
import { describeBackend, recordEvents } from '../support/queue-contract.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** PLEXI_KILLS=20 for the full bar. */
const KILLS = Number(process.env.PLEXI_KILLS ?? 3);
const HOST = fileURLToPath(new URL('../support/embedded-host.ts', import.meta.url));

const pools = new Map<QueueBackend, PglitePool>();
const opened: PglitePool[] = [];
const openPool = PglitePool.open;
vi.spyOn(PglitePool, 'open').mockImplementation(async (settings) => {
  const pool = await openPool.call(PglitePool, settings);
  opened.push(pool);
  return pool;
});

describeBackend(
  'the embedded queue',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plexi-test-'));
    await layDownDatabase(folder);
    return {
      exclusive: true,
      open: (events) => openEmbeddedBackend(settingsFor(folder), events),
      end: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  { hasServer: false },
);

describe('the folder of the embedded queue', () => {
  it('is refused to a second process, by name and with a way out, and free again when the first one is killed', async () => {
    const folder = await embeddedFolder();
    const host = startHost(folder, 'hold');
    await host.says('open');
    const second = startHost(folder, 'hold');
    await second.exit;
    expect(second.errors()).toContain(`The folder ${folder} is in use by another process (process ${host.processId})`);
    expect(second.errors()).toContain('--data');
    await expect(open(folder)).rejects.toThrow(/is in use by another process/);
    await host.kill();
    await open(folder);
  });

  it('opens although its first start was killed at any moment', { timeout: 120_000 }, async () => {
    const folder = tempFolder();
    // Its draft has begun, has tables, is complete and in place.
    for (const moment of ['database.new', 'database.new/base/1', 'database']) {
      const host = startHost(folder, 'none');
      await until(() => existsSync(join(folder, moment)));
      await host.kill();
    }
    // The moment before the folder is moved into place.
    mkdirSync(join(folder, 'database.new', 'half'), { recursive: true });
    const backend = await open(folder);
    await backend.queue('first').add('task', {});
    expect(await backend.queue('first').getWaitingCount()).toBe(1);
    expect(existsSync(join(folder, 'database.new'))).toBe(false);
  });

  it('says why a database that is damaged does not open, and frees the folder', async () => {
    const folder = tempFolder({ 'database/PG_VERSION': '9\n' });
    const refusal = await open(folder).catch((error: unknown) => String(error));
    expect(refusal).toContain(`The queue in ${folder} cannot be opened: `);
    expect(refusal).toContain('restore that folder from a backup, or move it aside; the runs in it are lost then');
    const host = startHost(folder, 'none');
    await host.exit;
    expect(host.errors()).not.toContain('is in use');
  });
});

describe('the folder of the embedded queue, when something is wrong with its disk', () => {
  it('is not opened without its control file, and it is said what to do', async () => {
    const folder = await embeddedFolder();
    writeFileSync(join(folder, 'database/global/pg_control'), Buffer.alloc(8192));
    const refusal = await open(folder).catch((error: unknown) => String(error));
    expect(refusal).toMatch(/^Error: The queue in .* cannot be opened: .*restore that folder from a backup/);
    expect(refusal).not.toContain('initdb');
  });
});

describe('the embedded queue after a kill', () => {
  it('looks for cut-off runs although the clock was set back since the last look', async () => {
    const folder = await embeddedFolder();
    const made = await open(folder);
    await made.queue('early').add('task', {});
    const pool = poolOf(made);
    const future = Date.now() + 3_600_000;
    await pool.query(
      `UPDATE bullmq.job SET state = 'active', stalled_marked = true, lock_token = 'x', locked_until_ms = $1`,
      [future],
    );
    await pool.query(`INSERT INTO bullmq.meta (queue, field, value) VALUES ('early', 'stalled-check', $1)`, [
      String(future),
    ]);
    await made.close();
    // Nobody calls releaseOrphans here.
    const backend = await open(folder, { stalledMs: 100 });
    let runs = 0;
    backend.consume('early', async () => void runs++, { concurrency: 1 });
    await until(() => runs === 1);
  });

  it('has every job whose adding was acknowledged, once', { timeout: 120_000 }, async () => {
    const folder = await embeddedFolder();
    const added = new Set<string>();
    const runs = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill++) {
      const host = startHost(folder, 'load');
      await host.says('open');
      await until(() => host.lines('added').length > 100);
      await new Promise((resolve) => setTimeout(resolve, 200 * Math.random()));
      await host.kill();
      for (const n of host.lines('added')) added.add(n);
      for (const n of host.lines('ran')) runs.set(n, (runs.get(n) ?? 0) + 1);
    }

    const backend = await open(folder);
    await backend.releaseOrphans();
    const queue = backend.queue('load');
    backend.consume('load', async (job) => void runs.set(job.data.n, (runs.get(job.data.n) ?? 0) + 1), {
      concurrency: 10,
    });
    await until(async () => (await queue.getJobCountByTypes('active', 'wait', 'delayed')) === 0);
    const jobs = await queue.getJobs(['completed', 'failed'], 0, -1);
    const known = jobs.map((job) => String(job.data.n));
    expect(new Set(known).size).toBe(known.length);
    expect([...added].filter((n) => !known.includes(n))).toEqual([]);
    expect(jobs.filter((job) => job.failedReason !== undefined)).toEqual([]);
    // What ran twice had been cut off, and shows it.
    for (const job of jobs) expect(job.stalledCounter).toBeGreaterThanOrEqual((runs.get(job.data.n) ?? 0) - 1);
    expect(jobs.every((job) => runs.has(job.data.n))).toBe(true);
  });

  it('runs what was cut off again within a second, under its id, and counts it as stalled', async () => {
    const folder = await embeddedFolder();
    const made = await open(folder);
    const ids = (await made.queue('held').addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })))).map(
      (job) => job.id,
    );
    await made.close();
    const host = startHost(folder, 'hold');
    await until(() => host.lines('ran').length === 3);
    await host.kill();

    const backend = await open(folder);
    await backend.releaseOrphans();
    const ran: (string | undefined)[] = [];
    const stalled: string[] = [];
    const start = performance.now();
    const consumer = backend.consume('held', async (job) => void ran.push(job.id), { concurrency: 3 });
    consumer.on('stalled', (id) => stalled.push(id));
    await until(() => ran.length >= 3);
    // Their locks would have held for thirty.
    expect(performance.now() - start).toBeLessThan(15_000);
    await until(async () => (await backend.queue('held').getCompletedCount()) === 3);
    expect(ran.toSorted()).toEqual(ids.toSorted());
    expect(stalled.toSorted()).toEqual(ids.toSorted());
    for (const id of ids) expect((await backend.queue('held').getJob(id ?? ''))?.stalledCounter).toBe(1);
  });

  it('leaves jobs that run now alone when it is asked for orphans again', async () => {
    const backend = await open(await embeddedFolder(), { stalledMs: 200 });
    let runs = 0;
    backend.consume(
      'live',
      async () => {
        runs++;
        await new Promise((resolve) => setTimeout(resolve, 1500));
      },
      { concurrency: 1 },
    );
    await backend.queue('live').add('task', {});
    await until(() => runs === 1);
    await backend.releaseOrphans();
    await until(async () => (await backend.queue('live').getCompletedCount()) === 1);
    expect(runs).toBe(1);
  });
});

describe('the embedded queue at work', () => {
  it('wakes a consumer that is just going idle, every time', { timeout: 90_000 }, async () => {
    const backend = await open(await embeddedFolder());
    const queue = backend.queue('idle');
    let ran = 0;
    backend.consume('idle', async () => void ran++, { concurrency: 1 });
    for (let round = 1; round <= 96; round++) {
      await queue.add('task', {});
      // One that missed it would look again after a minute.
      await until(() => ran === round);
      // Somewhere between the end of the job and the moment at which the consumer listens.
      await new Promise((resolve) => setTimeout(resolve, round % 8));
    }
  });

  it('stays small over many jobs that come and go', { timeout: 180_000 }, async () => {
    const folder = await embeddedFolder();
    const backend = await open(folder);
    const queue = backend.queue('many');
    backend.consume('many', async () => undefined, { concurrency: 20 });
    const runThrough = async (batches: number) => {
      for (let batch = 0; batch < batches; batch++) {
        const data = { text: 'x'.repeat(500) };
        await queue.addBulk(
          Array.from({ length: 1000 }, () => ({ name: 'task', data, opts: { removeOnComplete: true } })),
        );
        await until(async () => (await queue.getJobCountByTypes('active', 'wait')) === 0, 30_000);
      }
    };
    const tidied = `SELECT sum(vacuum_count)::int AS times FROM pg_stat_user_tables WHERE schemaname = 'bullmq'`;
    await until(async () => {
      await runThrough(1);
      return Number((await poolOf(backend).query(tidied)).rows[0]?.times) > 0;
    }, 90_000);
    // What was tidied up is used again: without that these would add 17 MB.
    const before = sizeOf(folder);
    await runThrough(3);
    expect(sizeOf(folder) - before).toBeLessThan(8_000_000);
    expect(sizeOf(folder)).toBeLessThan(100_000_000);
  });

  it('survives the death of its thread: tells it once each way, starts again, and loses nothing', async () => {
    const events = recordEvents();
    const backend = await open(await embeddedFolder(), {}, events);
    const queue = backend.queue('death');
    const begun: string[] = [];
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    backend.consume(
      'death',
      async (job) => {
        begun.push(job.name);
        if (job.name === 'long') await finished;
      },
      { concurrency: 1 },
    );
    const long = await queue.add('long', {});
    await until(() => begun.length === 1);
    await queue.add('waiting', {});
    const cutOff = poolOf(backend).query('SELECT pg_sleep(5)');
    poolOf(backend).terminateThread('it was ended by a test');
    await expect(cutOff).rejects.toThrow('The embedded queue cannot be reached: it was ended by a test');
    expect(backend.online).toBe(false);
    finish();
    await until(() => backend.online);
    await until(async () => (await long.getState()) === 'completed' && begun.includes('waiting'));
    await queue.add('after', {});
    await until(() => begun.includes('after'));
    expect(begun.filter((name) => name === 'long')).toHaveLength(1);
    expect(events.changes).toEqual([
      { online: false, reason: 'The embedded queue cannot be reached: it was ended by a test' },
      { online: true, reason: 'The embedded queue answers again' },
    ]);
    expect(events.errors).toEqual([]);
  });

  it('closes while its thread is down', async () => {
    const backend = await open(await embeddedFolder());
    backend.consume('down', async () => undefined, { concurrency: 1 });
    await backend.queue('down').add('task', {});
    poolOf(backend).terminateThread('it was ended by a test');
    const start = performance.now();
    await backend.close();
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

function settingsFor(folder: string) {
  return { folder, durability: 'process' as const, prefix: 'test', keepMs: 3_600_000 };
}

async function open(folder: string, timing = {}, events = recordEvents()): Promise<QueueBackend> {
  const backend = await openEmbeddedBackend({ ...settingsFor(folder), timing }, events);
  onTestFinished(() => backend.close());
  const pool = opened.at(-1);
  if (pool) pools.set(backend, pool);
  return backend;
}

function poolOf(backend: QueueBackend): PglitePool {
  const pool = pools.get(backend);
  if (!pool) throw new Error('This backend was not opened here.');
  return pool;
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => {
    const known = statSync(join(file.parentPath, file.name), { throwIfNoEntry: false });
    return sum + (known?.size ?? 0);
  }, 0);
}

function startHost(folder: string, mode: 'hold' | 'load' | 'none') {
  const child: ChildProcess = spawn(process.execPath, [HOST, folder, mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  onTestFinished(kill);
  const lines = (word: string) => {
    const complete = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
    return complete.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  };
  return {
    processId: child.pid,
    exit,
    kill,
    lines,
    errors: () => errors,
    says: (line: string) => until(() => output.split('\n').includes(line)),
  };
}
