/** A host's edge with its console over real queues: what an operator's browser talks to, without modules. */

import { createHash } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Console } from '../../runtime/console/console.ts';
import { type ConsoleOptions, createConsole } from '../../runtime/console/console.ts';
import { serveGateway } from '../../runtime/gateway/serve.ts';
import { fakeGateway, SECRET } from './fake-modules.ts';
import { startRedis } from './redis-server.ts';
import { until } from './until.ts';

const KEY = 'plexi_a-key-for-tests';
const MANAGER = { id: 'key-1', sub: 'ann', tier: 'basic', permissions: ['modules:manage'] } as const;

export interface ConsoleHost {
  readonly url: string;
  readonly console: Console;
  readonly queues: Queue[];
  /** The list of queues has changed. */
  changed(): void;
  /** Manages. */
  readonly apiKey: string;
  readonly actions: string[];
  close(): Promise<void>;
}

/** A queue `weather` with a completed, a failed and a waiting job, and `digest` with nothing; consumers are paused. */
export async function startConsoleHost(options: Partial<ConsoleOptions> = {}): Promise<ConsoleHost> {
  const redis = await startRedis();
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  const open = (name: string) => new Queue(name, { connection, prefix: 'plexi' });
  const queues = [open('weather'), open('digest')];
  await fill(queues[0] as Queue, connection);
  const listeners: (() => void)[] = [];
  const actions: string[] = [];
  const console = createConsole({
    desk: { queues: () => queues, onQueues: (listener) => listeners.push(listener) },
    onAction: ({ sub }, { method, path, status }) => actions.push(`${sub} ${method} ${path} ${status}`),
    ...options,
  });
  const gateway = fakeGateway([], {
    auth: { secret: SECRET, apiKeys: [{ ...MANAGER, sha256: createHash('sha256').update(KEY).digest('hex') }] },
    mount: (platform, tools) => console.mount(platform, tools),
  });
  const server = await serveGateway(gateway, { host: '127.0.0.1', port: 0 });
  return {
    url: server.url,
    console,
    apiKey: KEY,
    queues,
    actions,
    changed() {
      for (const listener of listeners) listener();
    },
    async close() {
      await server.close();
      await Promise.all(queues.map((queue) => queue.close()));
      connection.disconnect();
      await redis.remove();
    },
  };
}

export const HOSTILE = '</script><img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>';

async function fill(queue: Queue, connection: Redis): Promise<void> {
  const worker = new Worker(
    'weather',
    async (job) => {
      await job.log(`looking: ${HOSTILE}`);
      if (job.name === 'broken') throw new Error(`MODULE_ERROR: ${HOSTILE}`);
      return { result: JSON.stringify({ cities: 12, note: HOSTILE }) };
    },
    { connection, prefix: 'plexi' },
  );
  await queue.add('refresh', {
    data: JSON.stringify({ city: 'Oslo', note: HOSTILE }),
    origin: 'operator',
    by: HOSTILE,
  });
  await queue.add('broken', { data: 'null', origin: 'schedule' });
  await until(async () => {
    const counts = await queue.getJobCounts('completed', 'failed');
    return counts.completed === 1 && counts.failed === 1;
  });
  await worker.close();
  await queue.add('refresh', { data: '{"city":"Bergen"}', origin: 'module' });
  await queue.add('later', { data: 'null', origin: 'module' }, { delay: 3_600_000 });
}
