/** The host's own folder: made with 0700 at first start, with a secret of 0600 in it. */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface DataFolder {
  readonly path: string;
  readonly cache: string;
  /** 32 bytes: signs the tokens that this host makes. */
  readonly secret: Uint8Array;
  /** True when this start made the folder. */
  readonly isNew: boolean;
}

const SECRET_BYTES = 32;
export const SECRET_FILE = 'token.secret';
/** What a host puts there; an empty disk has a lost+found. */
const OURS =
  /^(?:cache|databases|packages|queue|state\.db(?:-wal|-shm|-journal)?|vault\.key(?:\.\d+)?|host\.json(?:\.\d+)?|token\.secret(?:\.\d+)?|lost\+found)$/;

/** The path is no folder that a host may use, or has no host's data; the message says what to do. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** Makes the folder and its secret when they are missing. @throws DataFolderError, Error when it cannot be used */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  const cache = join(folder, 'cache');
  const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
  if (!isNew) await assertOurs(folder);
  const { mode } = await stat(folder);
  // Boundary: what is in here signs tokens, so nobody else on this machine may look in.
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700);
  await mkdir(cache, { recursive: true });
  return { path: folder, cache, secret: await openSecret(join(folder, SECRET_FILE)), isNew };
}

/** For commands that need a host's data and would be wrong to make some. @throws DataFolderError */
export async function readHostSecret(path: string): Promise<Uint8Array> {
  const folder = resolve(path);
  const secret = await readSecret(join(folder, SECRET_FILE));
  if (secret !== undefined) return secret;
  throw new DataFolderError(
    `${folder} holds no data of a host; start one there first (plexi serve --data ${path}), or name its folder with --data.`,
  );
}

/** Boundary: a home folder that is named by mistake keeps its mode and gets no files. */
async function assertOurs(folder: string): Promise<void> {
  const entries = await readdir(folder);
  if (entries.includes(SECRET_FILE)) return;
  const foreign = entries.find((entry) => !OURS.test(entry));
  if (foreign === undefined) return;
  throw new DataFolderError(
    `${folder} holds files that are not a host's (${foreign}); name an empty folder or a new one with --data.`,
  );
}

async function openSecret(file: string): Promise<Uint8Array> {
  const known = await readSecret(file);
  if (known !== undefined) return known;
  // A draft that is linked into place: two hosts that start at once end up with one secret, a kill leaves none or all.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, randomBytes(SECRET_BYTES).toString('hex'), { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readSecret(file);
  if (made === undefined) throw new Error(`${file} vanished while it was made.`);
  return made;
}

const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

async function readSecret(file: string): Promise<Uint8Array | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (MISSING.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  if (!/^[0-9a-f]{64}\s*$/.test(text)) {
    throw new Error(
      `${file} should hold 64 hexadecimal digits; remove it to have a new secret made (old tokens end then).`,
    );
  }
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) await chmod(file, 0o600);
  return Buffer.from(text.trim(), 'hex');
}
