import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CellStartError } from '../../runtime/cells/cell.ts';
import type { Instance, InstanceExit } from '../../runtime/cells/instance.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { Slots } from '../../runtime/modules/slots.ts';

/** An instance that boots at once and ends when the test says so. */
interface FakeInstance {
  alive: boolean;
  readonly cell: { alive: boolean };
  /** Tasks that run in it: each call ends one. */
  readonly tasks: ((outcome: unknown) => void)[];
  exit(how: Partial<InstanceExit>): void;
  /** Its cell finds it over a soft limit. */
  breach(): void;
}

interface Hosting {
  readonly module: HostedModule;
  readonly spawned: FakeInstance[];
  /** What the next spawns or boots fail with. */
  readonly failures: Error[];
  /** While it is there, whoever boots waits for it. */
  gate: Promise<void> | undefined;
  /** Run by each instance when it has booted, before its host goes on. */
  onBooted: ((instance: FakeInstance) => void) | undefined;
  alone: boolean;
  readonly recycled: string[];
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function host({ autoLoad = true, comebacks = new Slots(2, 10), instances = 1 } = {}): Hosting {
  const spawned: FakeInstance[] = [];
  const failures: Error[] = [];
  const hosting: Hosting = {
    spawned,
    failures,
    gate: undefined,
    onBooted: undefined,
    alone: false,
    recycled: [],
    module: new HostedModule({
      manifest: Value.Default(ManifestSchema, {
        module_name: 'demo',
        module_version: '1.0.0',
        auto_load: autoLoad,
      }) as Manifest,
      declaration: { endpoints: [], tasks: [], events: [], pages: [] },
      limits: { instances, concurrency: 1, idleMs: 60_000, bootMs: 1_000 },
      readCode: async () => new Uint8Array(),
      spawn(_code, { onExit, onSoftLimit }) {
        const failure = failures.shift();
        if (failure instanceof CellStartError) throw failure;
        const instance: FakeInstance & Record<string, unknown> = {
          alive: true,
          serving: true,
          busy: 0,
          usage: { cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0, calls: 0, bytes: 0, lines: 0 },
          cell: { alive: true },
          ended: Promise.resolve(),
          async initialize() {
            if (failure !== undefined) throw failure;
            await hosting.gate;
            hosting.onBooted?.(instance);
          },
          terminate: () => {},
          drain: async () => {},
          stop: async () => {},
          tasks: [],
          runTask: () => new Promise((resolve) => instance.tasks.push(resolve)),
          retire: () => {
            instance.serving = false;
          },
          recall: () => {
            instance.serving = true;
          },
          tasksUntil: 0,
          breach: () => onSoftLimit({ limit: 'heap', kind: 'soft', detail: '60 MB of 64 MB for 10 s' }),
          exit(how) {
            instance.alive = false;
            instance.serving = false;
            onExit({
              reason: 'uncaught',
              detail: 'test',
              inFlight: 0,
              lastUsed: 0,
              tookCell: false,
              expected: false,
              ...how,
            });
          },
        };
        spawned.push(instance);
        return instance as unknown as Instance;
      },
      isAlone: () => hosting.alone,
      comebacks,
      onChange: () => {},
      onRecycle: (why) => hosting.recycled.push(why),
      onReplace: ({ limit, detail }) => hosting.recycled.push(`${limit}: ${detail}`),
      onLoss: () => {},
      onStack: () => {},
    }),
  };
  return hosting;
}

/** Takes its cell along. */
function killCell(hosting: Hosting): void {
  const instance = hosting.spawned.at(-1);
  if (instance === undefined) throw new Error('nothing runs');
  instance.cell.alive = false;
  instance.exit({ reason: 'cell', detail: 'killed by SIGKILL' });
}

describe('a module that crashed', () => {
  it('comes back by itself when it boots with the host, after its backoff', async () => {
    const hosting = host();
    await hosting.module.start();
    hosting.spawned[0]?.exit({});
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.state).toBe('running');
    hosting.spawned[1]?.exit({});
    await vi.advanceTimersByTimeAsync(400);
    expect(hosting.module.state).toBe('crashed');
    await vi.advanceTimersByTimeAsync(200);
    expect(hosting.module.state).toBe('running');
  });

  it('waits for its next use when it does not boot with the host', async () => {
    const hosting = host({ autoLoad: false });
    await hosting.module.start();
    hosting.spawned[0]?.exit({});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hosting.module.state).toBe('crashed');
    await hosting.module.start();
    expect(hosting.module.state).toBe('running');
  });

  it('tries again and again, and is parked when its budget is spent', async () => {
    const hosting = host();
    hosting.failures.push(...Array.from({ length: 30 }, () => new Error('no such database')));
    await hosting.module.start().catch(() => {});
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(hosting.module.state).toBe('parked');
    expect(hosting.spawned).toHaveLength(11);
    expect(hosting.module.reasons.join()).toContain('no such database');
  });

  it('stays stopped when it is stopped before it comes back', async () => {
    const hosting = host();
    await hosting.module.start();
    hosting.spawned[0]?.exit({});
    await hosting.module.stop(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hosting.module.state).toBe('stopped');
    expect(hosting.spawned).toHaveLength(1);
  });

  it('waits for its turn among those that come back', async () => {
    const comebacks = new Slots(1, 10);
    comebacks.tryTake();
    const hosting = host({ comebacks });
    await hosting.module.start();
    hosting.spawned[0]?.exit({});
    await vi.advanceTimersByTimeAsync(1_000);
    expect(hosting.module.state).toBe('crashed');
    comebacks.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.state).toBe('running');
    expect(comebacks.taken).toBe(0);
  });
});

describe('a thread that dies as soon as it has booted', () => {
  it('is not taken for one that runs: its boot has failed, and the next use starts another', async () => {
    const hosting = host({ autoLoad: false });
    hosting.onBooted = (instance) => instance.exit({ reason: 'heap', detail: '90 MB of 64 MB' });
    await expect(hosting.module.start()).rejects.toMatchObject({ code: 'MODULE_UNAVAILABLE' });
    expect(hosting.module.state).toBe('crashed');
    expect(hosting.module.instances.size).toBe(0);
    expect(hosting.module.reasons).toEqual(['did not boot: It ended as soon as it had booted (heap: 90 MB of 64 MB).']);
    hosting.onBooted = undefined;
    await hosting.module.start();
    expect(hosting.module.state).toBe('running');
  });

  it('is not added dead when it was to replace another: it is charged, and replaced in its turn', async () => {
    const hosting = host({ instances: 2 });
    await hosting.module.start();
    hosting.onBooted = (instance) => instance.exit({ reason: 'heap', detail: '90 MB of 64 MB' });
    hosting.spawned[0]?.exit({});
    await vi.advanceTimersByTimeAsync(300);
    expect(hosting.spawned).toHaveLength(3);
    expect([...hosting.module.instances].map(({ alive }) => alive)).toEqual([true]);
    // Two crashes in a row by now: the second has to wait.
    hosting.onBooted = undefined;
    await vi.advanceTimersByTimeAsync(300);
    expect([...hosting.module.instances].map(({ alive }) => alive)).toEqual([true, true]);
    expect(hosting.module.state).toBe('running');
  });

  it('for ever parks its module in the end, though another goes on all the time', async () => {
    const hosting = host({ instances: 2 });
    await hosting.module.start();
    hosting.onBooted = (instance) => instance.exit({});
    hosting.spawned[0]?.exit({});
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(hosting.module.state).toBe('parked');
    expect(hosting.spawned).toHaveLength(12);
  });
});

describe('a thread that has booted and dies while the others still boot', () => {
  it('is charged when they have booted, and replaced', async () => {
    const hosting = host({ instances: 3 });
    const gate = Promise.withResolvers<void>();
    hosting.gate = gate.promise;
    const starting = hosting.module.start();
    await vi.advanceTimersByTimeAsync(0);
    hosting.spawned[0]?.exit({ reason: 'external', detail: '300 MB of 64 MB' });
    expect(hosting.module.state).toBe('starting');
    gate.resolve();
    await starting;
    expect(hosting.module.state).toBe('running');
    expect(hosting.module.instances.size).toBe(2);
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.instances.size).toBe(3);
    // It was charged: the next one is the second in a row, and has to wait.
    hosting.spawned[1]?.exit({});
    await vi.advanceTimersByTimeAsync(400);
    expect(hosting.module.instances.size).toBe(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(hosting.module.instances.size).toBe(3);
  });

  it('is charged once together with those that do the same, and each is replaced', async () => {
    const hosting = host({ instances: 4 });
    let first = true;
    hosting.onBooted = (instance) => {
      if (!first) instance.exit({});
      first = false;
    };
    await hosting.module.start();
    expect(hosting.module.instances.size).toBe(1);
    hosting.onBooted = undefined;
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.instances.size).toBe(4);
    expect(hosting.spawned).toHaveLength(7);
  });

  it('is part of a failed boot when one of them does not boot: that is charged once', async () => {
    const hosting = host({ instances: 2, autoLoad: false });
    hosting.onBooted = () => {
      hosting.spawned[1]?.exit({});
      throw new Error('no such database');
    };
    await hosting.module.start().catch(() => {});
    expect(hosting.module.reasons).toEqual(['did not boot: no such database']);
    hosting.onBooted = undefined;
    // The first crash is forgiven at once.
    await hosting.module.start();
    expect(hosting.module.state).toBe('running');
  });

  it('is replaced for nothing when its cell took it along in company', async () => {
    const hosting = host({ instances: 2 });
    const gate = Promise.withResolvers<void>();
    hosting.gate = gate.promise;
    const starting = hosting.module.start();
    await vi.advanceTimersByTimeAsync(0);
    hosting.spawned[0]?.exit({ reason: 'cell', detail: 'killed by SIGKILL' });
    await vi.advanceTimersByTimeAsync(100);
    gate.resolve();
    await starting;
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.instances.size).toBe(2);
    hosting.spawned[1]?.exit({});
    await vi.advanceTimersByTimeAsync(0);
    expect(hosting.module.instances.size).toBe(2);
  });
});

describe('the death of a cell', () => {
  it('in company is not charged, however often it happens', async () => {
    const hosting = host();
    await hosting.module.start();
    for (let death = 0; death < 20; death++) {
      killCell(hosting);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(hosting.module.state).toBe('running');
    }
  });

  it('of a module that is alone in it is charged more than a crash: the fourth parks it', async () => {
    const hosting = host();
    hosting.alone = true;
    await hosting.module.start();
    for (let death = 0; death < 4; death++) {
      expect(hosting.module.state).toBe('running');
      killCell(hosting);
      await vi.advanceTimersByTimeAsync(61_000);
    }
    expect(hosting.module.state).toBe('parked');
    expect(hosting.module.reasons.join()).toContain('4 of them with its cell');
  });

  it('that could not be started is nobody’s fault: the module tries again and pays nothing', async () => {
    const hosting = host();
    hosting.failures.push(...Array.from({ length: 30 }, () => new CellStartError('no descriptors')));
    await expect(hosting.module.start()).rejects.toMatchObject({ code: 'MODULE_UNAVAILABLE' });
    expect(hosting.module.reasons).toEqual(['no descriptors']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(hosting.module.state).toBe('running');
  });
});

describe('a task of a module', () => {
  const task = { task: 'refresh', jobId: '1', attempt: 1, slot: null, data: 'null' };
  const run = ({ module }: Hosting, signal = new AbortController().signal) =>
    module.runTask(task, { timeoutMs: 1_000, graceMs: 100, signal });

  it('wakes it, and keeps it awake for as long as it runs', async () => {
    const hosting = host();
    const running = run(hosting);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    await hosting.module.sleepIfIdle(Date.now());
    expect(hosting.module.state).toBe('running');
    hosting.spawned[0]?.tasks[0]?.({ ok: true, result: '1' });
    expect(await running).toBe('1');
    await hosting.module.sleepIfIdle(Date.now() + 30_000);
    expect(hosting.module.state).toBe('running');
    await hosting.module.sleepIfIdle(Date.now() + 61_000);
    expect(hosting.module.state).toBe('sleeping');
  });

  it('waits half a minute for its turn and is not started then', async () => {
    const hosting = host();
    const first = run(hosting);
    const refused = run(hosting).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(hosting.spawned[0]?.tasks).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await refused).toMatchObject({ code: 'MODULE_OVERLOADED' });
    hosting.spawned[0]?.tasks[0]?.({ ok: true });
    await first;
    expect(hosting.spawned[0]?.tasks).toHaveLength(1);
  });

  it('is not started when its module cannot boot', async () => {
    const hosting = host();
    hosting.failures.push(new Error('no such database'));
    await expect(run(hosting)).rejects.toMatchObject({ code: 'MODULE_UNAVAILABLE' });
  });

  it('is refused at once in a module that is parked or stopped, by that word', async () => {
    const parked = host();
    parked.failures.push(...Array.from({ length: 30 }, () => new Error('no such database')));
    await parked.module.start().catch(() => {});
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    await expect(run(parked)).rejects.toMatchObject({
      code: 'MODULE_UNAVAILABLE',
      message: 'The module is parked.',
    });
    const stopped = host();
    await stopped.module.stop(0);
    await expect(run(stopped)).rejects.toMatchObject({
      code: 'MODULE_UNAVAILABLE',
      message: 'The module is stopped.',
    });
  });

  it('gives its place free when it is called off while it waits for it', async () => {
    const hosting = host();
    const first = run(hosting);
    const abort = new AbortController();
    const second = run(hosting, abort.signal).catch((error: unknown) => error);
    abort.abort();
    expect(await second).toMatchObject({ code: 'CLIENT_CLOSED' });
    await vi.advanceTimersByTimeAsync(0);
    hosting.spawned[0]?.tasks[0]?.({ ok: true });
    await first;
    const third = run(hosting);
    await vi.advanceTimersByTimeAsync(0);
    hosting.spawned[0]?.tasks[1]?.({ ok: true });
    expect(await third).toBeUndefined();
  });

  const overdue = { reason: 'overdue', detail: 'task refresh did not stop' } as const;

  it('that was slow to stop now and then costs its thread and no more: the module sleeps until its next use', async () => {
    const hosting = host();
    for (let times = 0; times < 20; times++) {
      await hosting.module.start();
      hosting.spawned.at(-1)?.exit(overdue);
      expect(hosting.module.state).toBe('sleeping');
      expect(hosting.module.reasons).toEqual(['task refresh did not stop']);
      await vi.advanceTimersByTimeAsync(5 * 60_000);
    }
    expect(hosting.recycled).toHaveLength(20);
  });

  it('that is slow to stop again and again is a crash each time from the third on, so that its module waits', async () => {
    const hosting = host({ autoLoad: false });
    for (let times = 0; times < 3; times++) {
      await hosting.module.start();
      hosting.spawned.at(-1)?.exit(overdue);
    }
    expect(hosting.module.state).toBe('crashed');
    expect(hosting.module.reasons).toEqual(['overdue: task refresh did not stop, as were 2 others within 10 minutes']);
    await hosting.module.start();
    hosting.spawned.at(-1)?.exit(overdue);
    await expect(hosting.module.start()).rejects.toMatchObject({ message: expect.stringContaining('recovers') });
    await vi.advanceTimersByTimeAsync(500);
    await hosting.module.start();
    expect(hosting.recycled).toHaveLength(4);
  });

  it('that never stops parks its module in the end, and its operator reads why', async () => {
    const hosting = host();
    await hosting.module.start();
    for (let times = 0; times < 13; times++) {
      expect(hosting.module.state).toBe('running');
      hosting.spawned.at(-1)?.exit(overdue);
      if (hosting.module.state === 'sleeping') await hosting.module.start();
      else await vi.advanceTimersByTimeAsync(31_000);
    }
    expect(hosting.module.state).toBe('parked');
    expect(hosting.module.reasons.join('; ')).toContain('last: overdue: task refresh did not stop, as were');
  });
});

describe('a thread over a soft limit', () => {
  it('gets no new work, finishes what it does, and another one takes over', async () => {
    const hosting = host();
    await hosting.module.start();
    const [first] = hosting.spawned;
    const drained = Promise.withResolvers<void>();
    Object.assign(first ?? {}, { drain: () => drained.promise });
    first?.breach();
    first?.breach();
    expect(hosting.recycled).toEqual(['heap: 60 MB of 64 MB for 10 s']);
    const started = hosting.module.start();
    await vi.advanceTimersByTimeAsync(1);
    await started;
    expect(hosting.spawned).toHaveLength(2);
    expect(hosting.module.state).toBe('running');
    drained.resolve();
    await vi.advanceTimersByTimeAsync(1);
    first?.exit({ reason: 'terminated', expected: true });
    expect(hosting.module.state).toBe('running');
    expect([...hosting.module.instances]).toEqual([hosting.spawned[1]]);
  });

  it('is one at a time: a replacement that is over it too waits until the first is gone, and a minute', async () => {
    const hosting = host();
    await hosting.module.start();
    const [first] = hosting.spawned;
    Object.assign(first ?? {}, { drain: () => new Promise(() => {}) });
    first?.breach();
    await vi.advanceTimersByTimeAsync(1);
    const second = hosting.spawned[1];
    second?.breach();
    expect(hosting.recycled).toHaveLength(1);
    first?.exit({ reason: 'heap' });
    second?.breach();
    expect(hosting.recycled).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    second?.breach();
    expect(hosting.recycled).toHaveLength(2);
  });
});
