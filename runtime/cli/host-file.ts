/** `host.json` in the data folder: where the host of that folder listens, for commands that talk to it. */
import { constants, type Stats } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { parseJsonOrNothing } from './parse-json.ts';

const HostFileSchema = Type.Object(
  {
    url: Type.String({ pattern: '^https?://[\\w.:\\[\\]-]+$', maxLength: 300 }),
    pid: Type.Integer({ minimum: 1 }),
    started_at: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  },
  { additionalProperties: false },
);
export type HostFile = Static<typeof HostFileSchema>;

const NAME = 'host.json';
const MAX_BYTES = 4096;
const ROOT = 0;
const OTHERS_WRITE = 0o022;
const check = Compile(HostFileSchema);

/** @param url as `serveGateway` tells it */
export async function writeHostFile(folder: string, url: string): Promise<void> {
  const file = join(resolve(folder), NAME);
  const content: HostFile = { url: reachable(url), pid: process.pid, started_at: new Date().toISOString() };
  // A draft that is moved into place: no reader meets half a file, and what a link points to is left alone.
  const draft = `${file}.${process.pid}`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(content)}\n`);
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

/** Removes the file of this process, not that of a host that came later. */
export async function removeHostFile(folder: string): Promise<void> {
  const known = await readHostFile(folder).catch(() => undefined);
  if (known?.pid === process.pid) await rm(join(resolve(folder), NAME), { force: true });
}

/** The file is there and is not what a host writes; `message` starts with its path. */
export class HostFileError extends Error {
  override readonly name = 'HostFileError';
}

/** Whose the folder may be, besides root's. What uses the secret in it trusts its owner already. */
export type Owner = 'anyone' | 'me';

/** undefined when there is none. @throws HostFileError */
export async function readHostFile(folder: string, owner: Owner = 'anyone'): Promise<HostFile | undefined> {
  const file = join(resolve(folder), NAME);
  const text = await readOwn(file, resolve(folder), owner);
  if (text === undefined) return undefined;
  const content = parseJsonOrNothing(text);
  if (check.Check(content) && URL.canParse(content.url)) return content;
  throw new HostFileError(`${file} is not what a host writes: ${whatIsWrong(content)}.`);
}

function whatIsWrong(content: unknown): string {
  if (content === undefined) return 'it is no JSON';
  const [first] = check.Errors(content);
  return first === undefined ? '/url is no URL' : `${first.instancePath || 'it'} ${first.message}`;
}

/** Boundary: where a token is sent is read only from a plain file of whoever owns the folder, that nobody else may write. */
async function readOwn(file: string, folder: string, owner: Owner): Promise<string | undefined> {
  // A link is not followed, and a pipe is not waited for.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(file, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    const why = error.code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be read (${error.code})`;
    throw new HostFileError(`${file} is not what a host writes: ${why}.`);
  });
  if (handle === undefined) return undefined;
  try {
    const problem = findProblem(await handle.stat(), await stat(folder), owner);
    if (problem !== undefined) throw new HostFileError(`${file} is not what a host writes: ${problem}.`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function findProblem(file: Stats, folder: Stats, owner: Owner): string | undefined {
  if (!file.isFile()) return 'it is no file';
  if (file.size > MAX_BYTES) return `it has more than ${MAX_BYTES} bytes`;
  if (process.platform === 'win32') return undefined;
  if (file.uid !== folder.uid) return 'it belongs to another user than its folder';
  const owners = [ROOT, process.getuid?.()];
  if (owner === 'me' && !owners.includes(file.uid)) return 'it belongs to another user than you';
  if ((file.mode & OTHERS_WRITE) !== 0) return 'others may write to it';
  if ((folder.mode & OTHERS_WRITE) !== 0) return 'others may write to its folder';
  return undefined;
}

/** A host that listens everywhere is reached on this machine's own address. */
function reachable(url: string): string {
  return url.replace('://0.0.0.0:', '://127.0.0.1:').replace('://[::]:', '://[::1]:');
}
