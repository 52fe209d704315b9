/** A Redis of its own for a test: on a free port, with its data in a temporary folder. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, serverProcess } from './server-process.ts';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and deletes its data. */
  remove(): Promise<void>;
}

/** What to do when there is none. */
export const missingRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'There is no redis-server; install it (apt-get install redis-server).';

/** Answers when it is ready; every write is on the disk before it is acknowledged, as a queue wants it. */
export async function startRedis(...flags: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-redis-'));
  const port = await freePort();
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const durable = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
  const server = serverProcess('redis-server', [...place, ...durable, ...flags], {}, () => answers(port));
  await server.start();
  return {
    ...server,
    port,
    url: `redis://127.0.0.1:${port}`,
    async remove() {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Anything but "still loading" is an answer; one that wants a password is up too. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (text) => {
      socket.destroy();
      resolve(!String(text).startsWith('-LOADING'));
    });
    socket.once('error', () => resolve(false));
  });
}
