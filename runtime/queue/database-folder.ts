/** The folder of the embedded database: there as a whole or not at all, whenever the process was killed. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openLink } from './pglite-link.ts';

/**
 * Makes the database in a folder beside, and moves it into place when it is complete.
 * @param onThread hears of the thread that makes it, and when that has ended
 */
export async function prepareDatabase(
  folder: string,
  durability: 'process' | 'power-loss',
  onThread: (gone: Promise<void>) => void = () => undefined,
): Promise<void> {
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  if (existsSync(folder)) return;
  // A thread of its own: making a database takes memory that is not given back while the thread lives.
  const link = await openLink(
    { folder: draft, durability, silentMs: 1000 },
    { onThread, onNotification: () => undefined, onLost: () => undefined },
  );
  await link.close();
  if (durability === 'power-loss') flushFolder(draft);
  renameSync(draft, folder);
  if (durability === 'power-loss') flush(dirname(folder));
}

function flushFolder(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    flush(join(entry.parentPath, entry.name));
  }
  flush(folder);
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
