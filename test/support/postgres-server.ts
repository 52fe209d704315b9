/** A PostgreSQL of its own for a test: on a free port, with its data in a temporary folder. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort, serverProcess } from './server-process.ts';

export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** At once: SIGINT is PostgreSQL's fast shutdown, which waits for no client. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it and deletes its data. */
  remove(): Promise<void>;
}

const DEBIAN = '/usr/lib/postgresql';
const folderOfTools = findTools();

/** What to do when there is none. */
export const missingPostgres =
  folderOfTools === undefined ? 'There is no PostgreSQL; install it (apt-get install postgresql).' : undefined;

export async function startPostgres(...flags: string[]): Promise<PostgresServer> {
  if (folderOfTools === undefined) throw new Error(missingPostgres);
  const folder = mkdtempSync(join(tmpdir(), 'plexi-postgres-'));
  const owner = ownerOfServer();
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const setUp = ['-D', data, '-U', 'plexi', '--auth=trust', '--no-sync', '--no-locale', '--encoding=UTF8'];
  execFileSync(join(folderOfTools, 'initdb'), setUp, { ...owner, stdio: 'pipe', cwd: folder });
  const port = await freePort();
  const place = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
  const command = join(folderOfTools, 'postgres');
  const server = serverProcess(command, [...place, ...flags], { ...owner, cwd: folder }, () => answers(port));
  await server.start();
  return {
    ...server,
    stop: (signal = 'SIGINT') => server.stop(signal),
    port,
    url: `postgres://plexi@127.0.0.1:${port}/postgres`,
    async remove() {
      // Not SIGKILL: its helper processes and its shared memory would stay.
      await server.stop('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Debian keeps them off the PATH. */
function findTools(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one)) : [];
  const folders = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** PostgreSQL refuses to run as root. */
function ownerOfServer(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // There is no such user; the next one.
    }
  }
  throw new Error('PostgreSQL refuses to run as root, and neither "postgres" nor "nobody" is a user here.');
}

/** One that is still starting answers the request for TLS too, so it is asked who it lets in. */
function answers(port: number): Promise<boolean> {
  const parameters = Buffer.from('user\0plexi\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(parameters.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([head, parameters])));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer[0] === 'R'.charCodeAt(0));
    });
    socket.once('error', () => resolve(false));
    socket.once('end', () => resolve(false));
  });
}
