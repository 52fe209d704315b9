/**
 * `vault.key` in the data folder, 0600: one key a line, the first seals. More lines than one mean that a rotation has not
 * come to its end: the others go when everything is sealed anew.
 */
import { randomBytes } from 'node:crypto';
import { chmod, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KEY_BYTES, parseVaultKey, toVaultKey, type VaultKey, VaultKeyError } from './vault-key.ts';

export const VAULT_KEY_FILE = 'vault.key';
/** A rotation that was cut off, and begun again, and cut off: nobody does that more often. */
const MAX_KEYS = 16;

/** With the process id, as older hosts named them, too. */
const DRAFT = /^vault\.key\.(?:[0-9a-f]{16}|\d{1,10})$/;

export function newVaultKey(): VaultKey {
  return toVaultKey(randomBytes(KEY_BYTES));
}

/** Empty when there is no file. @throws VaultKeyError when it holds something else, Error when it cannot be read */
export async function readKeyFile(folder: string): Promise<readonly VaultKey[]> {
  const file = join(folder, VAULT_KEY_FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) await chmod(file, 0o600);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > MAX_KEYS) {
    throw new VaultKeyError(`${file} should hold 1 to ${MAX_KEYS} keys, one a line, not ${lines.length}.`);
  }
  return lines.map((line, index) => parseVaultKey(line, `${file}, line ${index + 1},`));
}

/** What a writer that was killed left: keys that nobody else should find. Call while nobody writes. */
export async function removeKeyDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (DRAFT.test(name)) await rm(join(folder, name), { force: true });
  }
}

/** Whole or not at all, and on the disk when it resolves: what is sealed with a lost key is lost. */
export async function writeKeyFile(folder: string, keys: readonly VaultKey[]): Promise<void> {
  const file = join(folder, VAULT_KEY_FILE);
  // A name that no other writer has, also none that was killed: in a container the next host has the same process id.
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  const text = keys.map(({ bytes }) => `${Buffer.from(bytes).toString('hex')}\n`).join('');
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  const directory = await open(dirname(file), 'r');
  await directory.sync().finally(() => directory.close());
}
