/** Modules that have stopped and wait for an operator: bounded in number, in size and in time. */
import { randomUUID } from 'node:crypto';
import { PlexiError } from '@plexichat/sdk/protocol/errors';

export interface BreakpointStop {
  readonly module: string;
  /** The module's own words. */
  readonly label: string;
  /** JSON text of ours. */
  readonly locals: string;
  /** Epoch milliseconds. */
  readonly until: number;
  /** Fires when its thread has ended. */
  readonly signal: AbortSignal;
}

export interface WaitingBreakpoint extends Omit<BreakpointStop, 'signal'> {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Of all modules; the first of each finds a place all the same. */
const MAX_WAITING = 64;
const MAX_OF_MODULE = 8;

export class Breakpoints {
  readonly #waiting = new Map<string, { readonly shown: WaitingBreakpoint; readonly resume: () => void }>();

  /** Newest last. */
  list(): readonly WaitingBreakpoint[] {
    return [...this.#waiting.values()].map(({ shown }) => shown);
  }

  /** Resolves when it is resumed, at its deadline, or when its thread ends. @throws PlexiError QUOTA_EXCEEDED */
  stop({ signal, ...stop }: BreakpointStop): Promise<void> {
    const ofModule = this.list().filter(({ module }) => module === stop.module).length;
    if (this.#waiting.size >= MAX_WAITING && ofModule > 0) throw tooMany(`${MAX_WAITING} breakpoints`);
    if (ofModule >= MAX_OF_MODULE) throw tooMany(`${MAX_OF_MODULE} breakpoints of this module`);
    const now = Date.now();
    if (signal.aborted || stop.until <= now) return Promise.resolve();
    return new Promise((resolve) => {
      const id = randomUUID();
      const resume = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', resume);
        this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(resume, stop.until - now);
      signal.addEventListener('abort', resume, { once: true });
      this.#waiting.set(id, { shown: { ...stop, id, at: now }, resume });
    });
  }

  /** @throws PlexiError NOT_FOUND when nothing waits by that name (any more) */
  resume(id: string): WaitingBreakpoint {
    const found = this.#waiting.get(id);
    if (found === undefined) {
      throw new PlexiError(
        'NOT_FOUND',
        'No breakpoint of this id waits; GET /api/v1/debug/breakpoints lists those that do.',
      );
    }
    found.resume();
    return found.shown;
  }

  /** Lets all go on. */
  close(): void {
    for (const { resume } of [...this.#waiting.values()]) resume();
  }
}

function tooMany(what: string): PlexiError {
  return new PlexiError('QUOTA_EXCEEDED', `At most ${what} wait at once; an operator has to resume some.`);
}
