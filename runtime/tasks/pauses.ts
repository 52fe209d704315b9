/** Which schedules are paused and why, and how often each failed in a row; kept with the queue, so that all hosts agree. */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RecordStore } from '../queue/backend.ts';
import type { TaskView } from './task-desk.ts';

export type Pause = NonNullable<TaskView['paused']>;

const checkPause = Compile(
  Type.Object({
    by: Type.Union([Type.Literal('operator'), Type.Literal('failures')]),
    reason: Type.String(),
    at: Type.Union([Type.String(), Type.Null()]),
  }),
);

export class Pauses {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Task → pause. */
  async of(module: string): Promise<Map<string, Pause>> {
    const start = `pause/${module}/`;
    const found = new Map<string, Pause>();
    for (const [key, text] of await this.#records.list(start)) found.set(key.slice(start.length), readPause(text));
    return found;
  }

  async isPaused(module: string, task: string): Promise<boolean> {
    return (await this.#records.read(`pause/${module}/${task}`)) !== undefined;
  }

  /** The module is gone: when it is installed again, nobody remembers why it was paused. */
  async forget(module: string): Promise<void> {
    for (const start of [`pause/${module}/`, `fails/${module}/`]) {
      for (const key of (await this.#records.list(start)).keys()) await this.#records.delete(key);
    }
  }

  async pause(module: string, task: string, pause: Pause): Promise<void> {
    await this.#records.write(`pause/${module}/${task}`, JSON.stringify(pause));
  }

  /** Forgets the failures too: the schedule starts with a clean sheet. */
  async resume(module: string, task: string): Promise<void> {
    await this.#records.delete(`pause/${module}/${task}`);
    await this.succeeded(module, task);
  }

  /** @returns how often it failed in a row, this time included */
  failed(module: string, task: string): Promise<number> {
    return this.#records.increment(`fails/${module}/${task}`);
  }

  succeeded(module: string, task: string): Promise<void> {
    return this.#records.delete(`fails/${module}/${task}`);
  }

  async failures(module: string): Promise<Map<string, number>> {
    const start = `fails/${module}/`;
    const records = await this.#records.list(start);
    return new Map([...records].map(([key, text]) => [key.slice(start.length), Number(text) || 0]));
  }
}

/** A record that cannot be read still pauses: somebody wanted the schedule to stop. */
function readPause(text: string): Pause {
  let pause: unknown;
  try {
    pause = JSON.parse(text);
  } catch {
    pause = undefined;
  }
  if (checkPause.Check(pause)) return pause;
  return { by: 'operator', reason: 'The record of the pause cannot be read; resume it to mend that.', at: null };
}
