/** Task rooms over fake modules: what several hosts on one queue do, without cells and sockets. */

import { Registry } from '../../runtime/modules/registry.ts';
import type { ServedModule } from '../../runtime/modules/served-module.ts';
import { createLog } from '../../runtime/observability/log.ts';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { createDesk } from '../../runtime/tasks/desk.ts';
import type { TaskDesk, TaskEnd } from '../../runtime/tasks/task-desk.ts';
import { type TaskLimits, TaskRoom } from '../../runtime/tasks/task-room.ts';
import type { LogLine } from './test-host.ts';

export interface TaskHost {
  readonly room: TaskRoom;
  readonly desk: TaskDesk;
  readonly registry: Registry;
  readonly lines: readonly LogLine[];
  readonly ends: readonly { readonly task: string; readonly outcome: TaskEnd }[];
  close(drainMs?: number): Promise<void>;
}

const LIMITS: TaskLimits = {
  concurrency: 64,
  perModule: 8,
  maxWaiting: 1_000,
  maxEnded: 1_000,
  graceMs: 100,
  pauseAfter: 5,
};

export function startTaskHost(
  open: (events: BackendEvents) => Promise<QueueBackend>,
  modules: readonly ServedModule[],
  limits: Partial<TaskLimits> = {},
): TaskHost {
  const registry = new Registry();
  for (const module of modules) registry.add(module);
  registry.announced();
  const lines: LogLine[] = [];
  const ends: { task: string; outcome: TaskEnd }[] = [];
  const log = createLog({
    level: 'debug',
    readable: false,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const room = new TaskRoom({
    limits: { ...LIMITS, ...limits },
    open,
    modules: registry,
    meter: { started: () => {}, ended: (_module, task, outcome) => void ends.push({ task, outcome }) },
    log,
  });
  return {
    room,
    desk: createDesk(room),
    registry,
    lines,
    ends,
    close: (drainMs = 0) => room.close(drainMs),
  };
}
