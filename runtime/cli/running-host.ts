/**
 * Where the host of a data folder listens, by what its host.json says. A folder may come with a clone or an archive, and
 * then that file is a stranger's.
 */
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { type HostFile, HostFileError, type Owner, readHostFile } from './host-file.ts';
import { HostError, UserError } from './user-error.ts';

export interface RunningHostOptions {
  /** What --url named, if it did. */
  readonly named: string | undefined;
  /** The token is not this folder's own: nothing else binds it to this host. */
  readonly isTokenGiven: boolean;
}

/** @throws HostError when none runs, or its file is not to be believed; UserError when only a --url can say what is meant */
export async function findRunningHost(data: string, { named, isTokenGiven }: RunningHostOptions): Promise<HostFile> {
  const host = await readHost(data, isTokenGiven ? 'me' : 'anyone');
  const { origin, hostname } = new URL(host.url);
  if (named === origin) return host;
  // Boundary: what the secret of a folder has signed goes to the host of that folder and nowhere else.
  if (named !== undefined) {
    throw new UserError(
      `The host of ${resolve(data)} is at ${host.url}, and only there its token is sent, not to ${named}. For another host give --token (or PLEXI_TOKEN) too.`,
    );
  }
  // Boundary: no token, and no data of a run, leaves this machine because a file in a folder says so.
  if (isLoopback(hostname) || (!isTokenGiven && isOwnAddress(hostname))) return host;
  const allowed = isTokenGiven ? 'a loopback address' : 'an address of this machine';
  throw new UserError(
    `The host.json of ${resolve(data)} says that its host is at ${host.url}, which is not ${allowed}. If that is the host that you mean, name it with --url (or PLEXI_URL).`,
  );
}

async function readHost(data: string, owner: Owner): Promise<HostFile> {
  const folder = resolve(data);
  const elsewhere = 'For a host elsewhere give --url and --token.';
  const start = `start one with "plexi serve --data ${data}"`;
  const known = await readHostFile(data, owner).catch((error: unknown) => {
    if (!(error instanceof HostFileError)) throw error;
    throw new HostError(`${error.message} Remove it and start the host again. ${elsewhere}`);
  });
  if (known === undefined) throw new HostError(`No host runs on ${folder}; ${start}. ${elsewhere}`);
  if (isAlive(known.pid)) return known;
  throw new HostError(
    `The host of ${folder} is gone: it was process ${known.pid} at ${known.url}, since ${known.started_at}, and did not end in order; ${start}. ${elsewhere}`,
  );
}

function isAlive(pid: number): boolean {
  try {
    // 0 sends nothing; it only asks.
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @param hostname of a parsed URL: an IPv4 address is four decimal numbers there, whatever was written */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function isOwnAddress(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  return Object.values(networkInterfaces()).some((own) => own?.some((each) => each.address === address) === true);
}
