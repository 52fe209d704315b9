/** Opens the queue's home when it is first needed, and keeps trying: a host serves HTTP while its queue is away. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Logger } from '../observability/log.ts';
import type { BackendEvents, QueueBackend } from '../queue/backend.ts';

export interface QueueDoorOptions {
  readonly open: (events: BackendEvents) => Promise<QueueBackend>;
  /** It is open, or is back after it was away. */
  readonly onReady: () => void;
  readonly log: Logger;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const LOCK_LOST = /^Missing lock for job /;

export class QueueDoor {
  readonly #options: QueueDoorOptions;
  #backend: QueueBackend | undefined;
  #opening: Promise<void> | undefined;
  #wake: () => void = () => {};
  #isClosed = false;
  #waiting = new Set<() => void>();

  constructor(options: QueueDoorOptions) {
    this.#options = options;
  }

  /** Nothing before it was needed and while it is being opened. */
  get backend(): QueueBackend | undefined {
    return this.#backend;
  }

  /** Starts opening it, if nobody has. */
  want(): void {
    if (this.#isClosed) return;
    this.#opening ??= this.#open();
  }

  /** @throws PlexiError QUEUE_UNAVAILABLE when it is away, or not open in time */
  async ready(timeoutMs: number): Promise<QueueBackend> {
    this.want();
    if (this.#backend === undefined) await this.#opened(timeoutMs);
    if (this.#backend?.online === true) return this.#backend;
    throw queueAway();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#opening;
    await this.#backend?.close();
  }

  async #open(): Promise<void> {
    const { open, log, onReady } = this.#options;
    let wait = FIRST_RETRY_MS;
    while (!this.#isClosed && this.#backend === undefined) {
      try {
        const backend = await open({
          onOnline: (online, reason) => this.#tell(online, reason),
          onError: (error) => this.#hear(error),
        });
        // Before anybody can start a consumer: its first look takes them.
        await backend.releaseOrphans().catch((error: unknown) => {
          log.warn({ err: error }, 'runs that an earlier life of this host was cut off from come back later');
        });
        this.#backend = backend;
      } catch (error) {
        // The first failure is told in full; further ones would only repeat it.
        if (wait === FIRST_RETRY_MS) log.error({ err: error }, 'the task queue cannot be opened; trying again');
        await this.#pause(wait);
        wait = Math.min(wait * 2, LONGEST_RETRY_MS);
      }
    }
    if (this.#backend === undefined) return;
    log.info({ queue: this.#backend.kind }, 'the task queue is open');
    for (const resolve of this.#waiting) resolve();
    if (!this.#isClosed) onReady();
  }

  #hear(error: Error): void {
    const { log } = this.#options;
    // After an outage, the end of a run is told again when its first telling was not answered; the queue knew it already.
    if (LOCK_LOST.test(error.message)) log.info({ reason: error.message }, 'a run had ended or was taken over by then');
    else log.warn({ err: error }, 'the task queue complains');
  }

  #tell(online: boolean, reason: string): void {
    if (this.#isClosed) return;
    const { log, onReady } = this.#options;
    if (online) log.info({ reason }, 'the task queue is back; tasks go on');
    else log.error({ reason }, 'the task queue cannot be reached; tasks wait, everything else goes on');
    if (online && this.#backend !== undefined) onReady();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #opened(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(done);
        reject(queueAway());
      }, timeoutMs);
      this.#waiting.add(done);
    });
  }
}

export function queueAway(cause?: unknown): PlexiError {
  return new PlexiError('QUEUE_UNAVAILABLE', 'The task queue cannot be reached now; try again later.', {
    headers: { 'retry-after': '5' },
    cause,
  });
}
