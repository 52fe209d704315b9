/** Loads the modules of the host, and later one of them again: one load at a time, each in rooms that end with it. */
import type { Spawn } from '../cells/spawner.ts';
import type { Chores } from '../modules/chores.ts';
import { type LoadOptions, loadModules } from '../modules/load.ts';
import { type LoadAgainOptions, loadAgain } from '../modules/load-again.ts';
import { InTurn } from '../state/in-turn.ts';

/** What loading needs and serving does not: a host runs for months without it. */
export interface LoadingRoom {
  readonly chores: Chores;
  /** Into a process that has seen no other module, so that none can speak for the next. */
  readonly spawnToLearn: Spawn;
  close(): Promise<void>;
}

export interface LoadQueueOptions extends Pick<LoadAgainOptions, 'retire' | 'onLoaded'> {
  readonly openRoom: () => LoadingRoom;
  readonly optionsIn: (room: LoadingRoom) => LoadOptions;
}

export interface LoadQueue {
  /** By module, once all were loaded; those that come later are put in here. */
  readonly folders: Map<string, string>;
  /** @throws Error when the directory itself cannot be read */
  loadAll(): Promise<void>;
  /**
   * Behind what is being loaded. Never rejects for what is wrong with the module.
   * @param isForced also when it is served already: another one takes its place
   */
  loadAgain(name: string, isForced: boolean): Promise<void>;
  /** Behind what is being loaded, in rooms of its own. Undefined once the queue is closed. */
  inRoom<Outcome>(work: (options: LoadOptions) => Promise<Outcome>): Promise<Outcome | undefined>;
  /** Between loads, so that none is under way that has read what the work changes. Nothing happens once it is closed. */
  inTurn(work: () => Promise<void>): Promise<void>;
  /** What is under way ends soon, in failure. */
  close(): Promise<void>;
}

const MAX_WAITING = 1_000;

export function createLoadQueue({ openRoom, optionsIn, retire, onLoaded }: LoadQueueOptions): LoadQueue {
  /** Asked for, and not begun. */
  const waiting = new Map<string, Promise<void>>();
  const folders = new Map<string, string>();
  let current: LoadingRoom | undefined;
  const turns = new InTurn();
  let isClosed = false;

  return {
    folders,
    loadAll: () =>
      inRoom(async (options) => {
        for (const [name, folder] of await loadModules(options)) folders.set(name, folder);
      }),
    inRoom,
    loadAgain(name, isForced) {
      const key = `${name} ${isForced}`;
      const asked = waiting.get(key);
      if (asked !== undefined) return asked;
      if (waiting.size >= MAX_WAITING) return Promise.reject(new Error('Too many modules wait to be loaded again.'));
      const done = inRoom((options) => {
        waiting.delete(key);
        return loadAgain(name, isForced, { ...options, folders, retire, onLoaded });
      });
      waiting.set(key, done);
      return done;
    },
    inTurn: (work) => take(work),
    async close() {
      isClosed = true;
      await current?.close();
      await turns.idle();
    },
  };

  function inRoom<Outcome>(work: (options: LoadOptions) => Promise<Outcome>): Promise<Outcome | undefined> {
    return take(async () => {
      const room = openRoom();
      current = room;
      try {
        return await work(optionsIn(room));
      } finally {
        current = undefined;
        await room.close();
      }
    });
  }

  function take<Outcome>(work: () => Promise<Outcome>): Promise<Outcome | undefined> {
    return turns.take(async () => (isClosed ? undefined : work()));
  }
}
