/**
 * One process per folder: two that write to one database lose what the other wrote, without a word. SQLite's lock is the
 * system's own, so it is gone with the process that had it, whatever ended it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { reasonOf } from './reachability.ts';

export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
}

const BUSY = 5;
/** Beside the lock, since a file that is locked tells nothing. */
const HOLDER = 'lock.holder';
const NAME = `process ${process.pid}`;

/** Answers how to give it back. @throws FolderLockedError when another process has the folder */
export function lockFolder(folder: string): () => void {
  const lock = takeLock(folder);
  nameHolder(folder);
  return () => {
    if (lock.isOpen) lock.close();
  };
}

function takeLock(folder: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    throw explain(error, folder);
  }
}

/** Only a hint: a disk that is full must not cost the lock, nor may an old name stay. */
function nameHolder(folder: string): void {
  const path = join(folder, HOLDER);
  try {
    writeFileSync(path, NAME, { mode: 0o600 });
  } catch {
    try {
      rmSync(path, { force: true });
    } catch {
      // Then whoever is refused reads an old name, or none.
    }
  }
}

function explain(error: unknown, folder: string): Error {
  const isBusy = error instanceof Error && 'errcode' in error && error.errcode === BUSY;
  if (!isBusy) return new Error(`The folder ${folder} cannot be locked: ${reasonOf(error)}.`, { cause: error });
  return new FolderLockedError(
    `The folder ${folder} is in use by ${readHolder(folder)}; a queue has one host. Stop that one, or start this one with a data folder of its own (--data).`,
  );
}

function readHolder(folder: string): string {
  try {
    const holder = readFileSync(join(folder, HOLDER), 'utf8');
    return holder === NAME
      ? `this process (${NAME}): an earlier use of it has not ended yet`
      : `another process (${holder})`;
  } catch {
    return 'another process';
  }
}
