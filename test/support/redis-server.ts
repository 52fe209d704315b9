/** A Redis of its own for a test: on a free port, with its data in a temporary folder. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type ServerProcess, serverProcess } from './server-process.ts';
import { until } from './until.ts';

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
    remove: () => remove(server, folder),
  };
}

/** One that serves all slots alone; ready when it says that the cluster is. */
export async function startRedisCluster(): Promise<RedisServer> {
  const bus = ['--cluster-port', String(await freePort()), '--cluster-announce-ip', '127.0.0.1'];
  const server = await startRedis('--cluster-enabled', 'yes', ...bus);
  await ask(server.port, 'CLUSTER ADDSLOTSRANGE 0 16383');
  await until(async () => (await ask(server.port, 'CLUSTER INFO')).includes('cluster_state:ok'));
  return server;
}

/** A Sentinel that watches this master under this name. */
export async function startSentinel(name: string, master: RedisServer): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plexi-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [`port ${port}`, 'bind 127.0.0.1', `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`, ''];
  writeFileSync(file, lines.join('\n'));
  const server = serverProcess('redis-server', [file, '--sentinel'], {}, () => answers(port));
  await server.start();
  return { ...server, port, url: `redis://127.0.0.1:${port}`, remove: () => remove(server, folder) };
}

async function remove(server: ServerProcess, folder: string): Promise<void> {
  await server.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Anything but "still loading" is an answer; one that wants a password is up too. */
function answers(port: number): Promise<boolean> {
  return ask(port, 'PING').then(
    (answer) => !answer.startsWith('-LOADING'),
    () => false,
  );
}

/** The beginning of its answer to one command, without a driver that would hide how it is. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(String(answer));
    });
    socket.once('error', reject);
  });
}
