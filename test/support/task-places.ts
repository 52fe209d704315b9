/** Where the tests of the task room keep their queue: on each kind of server that a host can use, and on none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendEvents, QueueBackend } from '../../runtime/queue/backend.ts';
import { openQueueBackend, type QueueSettings } from '../../runtime/queue/open-backend.ts';
import { layDownDatabase } from './embedded-folder.ts';
import { missingPostgres, startPostgres } from './postgres-server.ts';
import { missingRedis, startRedis } from './redis-server.ts';

export interface TaskPlace {
  /** Each installation has its queues to itself. */
  open(installation: number, events: BackendEvents): Promise<QueueBackend>;
  readonly url?: string;
  readonly server?: { stop(): Promise<void>; start(): Promise<void> };
  remove(): Promise<void>;
}

export interface TaskPlaceKind {
  readonly name: string;
  /** Several hosts can be on one queue. */
  readonly isShared: boolean;
  readonly missing: string | undefined;
  start(): Promise<TaskPlace>;
}

/** Long enough for a machine that is busy with other tests. */
const TIMING = { lockMs: 15_000, stalledMs: 1_000 };

export const TASK_PLACES: readonly TaskPlaceKind[] = [
  {
    name: 'the embedded queue',
    isShared: false,
    missing: undefined,
    async start() {
      const folder = mkdtempSync(join(tmpdir(), 'plexi-tasks-'));
      await layDownDatabase(join(folder, 'queue'));
      const silent = { onOnline: () => {}, onError: () => {} };
      // To boot takes a second: one database for all installations, wiped when a new one begins.
      const backend = await openQueueBackend(settings(folder, 0), silent);
      const wipe = createWiper(backend);
      return {
        async open(installation) {
          await wipe.begin(installation);
          return wipe.backend;
        },
        async remove() {
          await backend.close();
          rmSync(folder, { recursive: true, force: true });
        },
      };
    },
  },
  {
    name: 'Redis',
    isShared: true,
    missing: missingRedis,
    async start() {
      const server = await startRedis();
      return {
        open: (installation, events) =>
          openQueueBackend({ ...settings('', installation), redis: server.url, timing: TIMING }, events),
        url: server.url,
        server,
        remove: () => server.remove(),
      };
    },
  },
  {
    name: 'PostgreSQL',
    isShared: true,
    missing: missingPostgres,
    async start() {
      const server = await startPostgres();
      return {
        open: (installation, events) =>
          openQueueBackend({ ...settings('', installation), queue: server.url, timing: TIMING }, events),
        url: server.url,
        server,
        remove: () => server.remove(),
      };
    },
  },
];

function settings(dataFolder: string, installation: number): QueueSettings {
  const prefix = `test${installation}`;
  return { redisOptions: {}, redisCluster: [], prefix, keepMs: 3_600_000, durability: 'process', dataFolder };
}

/** The backend as a room sees it, which outlives the rooms. */
function createWiper(backend: QueueBackend) {
  const used = new Set<string>();
  let current = 0;
  return {
    backend: {
      kind: backend.kind,
      exclusive: backend.exclusive,
      records: backend.records,
      get online() {
        return backend.online;
      },
      queue(name: string) {
        used.add(name);
        return backend.queue(name);
      },
      consume: (...args: Parameters<QueueBackend['consume']>) => backend.consume(...args),
      releaseOrphans: () => backend.releaseOrphans(),
      close: async () => {},
    },
    async begin(installation: number): Promise<void> {
      if (installation === current) return;
      current = installation;
      for (const name of used) await backend.queue(name).obliterate({ force: true });
      for (const key of (await backend.records.list('')).keys()) await backend.records.delete(key);
      used.clear();
    },
  };
}
