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
  exit(how: Partial<InstanceExit>): void;
}

interface Hosting {
  readonly module: HostedModule;
  readonly spawned: FakeInstance[];
  /** What the next spawns or boots fail with. */
  readonly failures: Error[];
  alone: boolean;
  readonly recycled: string[];
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function host({ autoLoad = true, comebacks = new Slots(2, 10) } = {}): Hosting {
  const spawned: FakeInstance[] = [];
  const failures: Error[] = [];
  const hosting: Hosting = {
    spawned,
    failures,
    alone: false,
    recycled: [],
    module: new HostedModule({
      manifest: Value.Default(ManifestSchema, {
        module_name: 'demo',
        module_version: '1.0.0',
        auto_load: autoLoad,
      }) as Manifest,
      declaration: { endpoints: [], tasks: [], events: [], pages: [] },
      limits: { instances: 1, concurrency: 1, idleMs: 60_000, bootMs: 1_000 },
      readCode: async () => new Uint8Array(),
      spawn(_code, onExit) {
        const failure = failures.shift();
        if (failure instanceof CellStartError) throw failure;
        const instance: FakeInstance & Record<string, unknown> = {
          alive: true,
          busy: 0,
          cell: { alive: true },
          ended: Promise.resolve(),
          initialize: () => (failure === undefined ? Promise.resolve() : Promise.reject(failure)),
          terminate: () => {},
          drain: async () => {},
          stop: async () => {},
          exit(how) {
            instance.alive = false;
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
