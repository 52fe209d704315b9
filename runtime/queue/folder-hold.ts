/** The lock of a folder, kept until the last thread in it has ended: two in one database ruin it. */
import { closeWithin } from './close-within.ts';
import { lockFolder } from './folder-lock.ts';

export interface FolderHold {
  /** A thread works in the folder; `gone` resolves when it has ended. */
  readonly onThread: (gone: Promise<void>) => void;
  /** Waits so long for threads that are ending. One that cannot be ended keeps the lock, until it or this process has. */
  free(waitMs: number): Promise<void>;
}

/** @throws FolderLockedError */
export function holdFolder(folder: string): FolderHold {
  const unlock = lockFolder(folder);
  const threads = new Set<Promise<void>>();
  return {
    onThread(gone) {
      threads.add(gone);
      void gone.then(() => threads.delete(gone));
    },
    async free(waitMs) {
      await closeWithin(Promise.all(threads).then(unlock), waitMs);
    },
  };
}
