import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CellStartError } from '../../runtime/cells/cell.ts';
import type { Instance, InstanceExit } from '../../runtime/cells/instance.ts';
import { HostedModule } from '../../runtime/modules/hosted-module.ts';
import { Slots } from '../../runtime/modules/slots.ts';
import { until } from '../support/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

interface Thread {
  alive: boolean;
  serving: boolean;
  breach(): void;
}

/** Threads as the host sees them: one that is retired while nothing runs in it is gone a moment later. */
function host() {
  const threads: Thread[] = [];
  const boots: (() => void)[] = [];
  const state = { isGated: false, noRoom: 0 };
  const module = new HostedModule({
    manifest: Value.Default(ManifestSchema, { module_name: 'demo', module_version: '1.0.0' }) as Manifest,
    declaration: { endpoints: [], tasks: [], events: [], pages: [] },
    limits: { instances: 1, concurrency: 8, idleMs: 60_000, bootMs: 1_000 },
    readCode: async () => new Uint8Array(),
    spawn(_code, { onExit, onSoftLimit }) {
      if (state.noRoom > 0) {
        state.noRoom -= 1;
        throw new CellStartError('no room');
      }
      const gone: InstanceExit = {
        reason: 'terminated',
        detail: 'stopped',
        inFlight: 0,
        lastUsed: 0,
        tookCell: false,
        expected: true,
      };
      const thread = {
        alive: true,
        serving: true,
        busy: 0,
        usage: { cpuMs: 0, heapBytes: 0, externalBytes: 0, delayMs: 0, calls: 0, bytes: 0, lines: 0 },
        cell: { alive: true },
        ended: Promise.resolve(),
        initialize: async () => {
          if (state.isGated) await new Promise<void>((resolve) => boots.push(resolve));
        },
        retire: () => {
          thread.serving = false;
        },
        drain: async () => {},
        stop: async () => thread.terminate(),
        terminate: () => {
          if (!thread.alive) return;
          thread.alive = false;
          thread.serving = false;
          queueMicrotask(() => onExit(gone));
        },
        invoke: async () => ({ ok: true, status: 204, headers: [], body: { kind: 'none' } }),
        session: { discard: () => {} },
        breach: () => onSoftLimit({ limit: 'lines', kind: 'soft', detail: 'log lines were dropped' }),
      };
      threads.push(thread);
      return thread as unknown as Instance;
    },
    isAlone: () => false,
    comebacks: new Slots(2, 10),
    onChange: () => {},
    onRecycle: () => {},
    onReplace: () => {},
    onLoss: () => {},
    onStack: () => {},
  });
  const ask = () =>
    module.invoke(
      {
        handler: 'x',
        method: 'GET',
        url: 'http://x/',
        headers: [],
        params: {},
        query: {},
        user: null,
        requestId: 'r',
        deadline: Date.now() + 5_000,
      } as never,
      { body: { kind: 'none' }, signal: undefined } as never,
    );
  return { module, threads, boots, state, ask };
}

describe('a module whose only thread is replaced while nothing runs in it', () => {
  it('answers who asks before the next thread has booted', async () => {
    const { module, threads, boots, state, ask } = host();
    await module.start();
    state.isGated = true;
    threads[0]?.breach();
    await until(() => boots.length === 1);
    const answer = ask();
    answer.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const boot of boots) boot();
    expect((await answer).status).toBe(204);
    expect(module.state).toBe('running');
  });

  it('answers who asks while there is no room for the next one', async () => {
    const { module, threads, state, ask } = host();
    await module.start();
    state.noRoom = 1;
    threads[0]?.breach();
    await until(() => state.noRoom === 0);
    expect((await ask()).status).toBe(204);
  });
});

describe('a thread that is replaced while a task runs in it', () => {
  it('lets the task have the time that it declared', async () => {
    const { module, threads } = host();
    await module.start();
    vi.useFakeTimers();
    let isStopped = false;
    const [first] = threads;
    Object.assign(first ?? {}, {
      busy: 1,
      tasksUntil: Date.now() + 3_600_000,
      runTask: () => new Promise(() => {}),
      drain: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
      stop: async () => {
        isStopped = true;
      },
    });
    const signal = new AbortController().signal;
    void module.runTask({ task: 'nightly', data: '{}' } as never, { timeoutMs: 3_600_000, graceMs: 5_000, signal });
    await vi.advanceTimersByTimeAsync(1);
    first?.breach();
    await vi.advanceTimersByTimeAsync(30 * 60_000);
    vi.useRealTimers();
    expect(isStopped).toBe(false);
  });
});
