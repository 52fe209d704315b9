/** Opens the queue's home when it is first needed, and keeps trying: a host serves HTTP while its queue is away. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Logger } from '../observability/log.ts';
import type { BackendEvents, QueueBackend } from '../queue/backend.ts';
import { createRepeatFilter, withoutNumbers } from '../queue/repeats.ts';

export interface QueueDoorOptions {
  readonly open: (events: BackendEvents) => Promise<QueueBackend>;
  /** It is open, or is back after it was away. */
  readonly onReady: () => void;
  readonly log: Logger;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
const TELL_AGAIN_MS = 600_000;
const LOCK_LOST = /^Missing lock for job |^Job \S+ is not in the active state\. moveToFinished/;

export class QueueDoor {
  readonly #options: QueueDoorOptions;
  readonly #isNews = createRepeatFilter(TELL_AGAIN_MS);
  #backend: QueueBackend | undefined;
  #trouble: string | undefined;
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

  /** Why there is no queue now, in words for operators: they may name folders and servers. Nothing while all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
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
        if (backend.online) this.#trouble = undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#trouble = reason;
        if (this.#isNews(withoutNumbers(reason))) {
          log.error({ err: error }, 'the task queue cannot be opened; trying again');
        }
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
    else if (this.#backend?.online === false) this.#hearWhileAway(error);
    else log.warn({ err: error }, 'the task queue complains');
  }

  /** Lost connections are no complaints, so this is why it stays away. */
  #hearWhileAway(error: Error): void {
    this.#trouble = error.message;
    this.#options.log.error({ err: error }, 'the task queue stays away');
  }

  #tell(online: boolean, reason: string): void {
    this.#trouble = online ? undefined : reason;
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

/** @param trouble only for operators: guests hear no more than that they may try again */
export function queueAway(cause?: unknown, trouble?: string): PlexiError {
  const message =
    trouble === undefined
      ? 'The task queue cannot be reached now; try again later.'
      : `The task queue cannot be used now. ${trouble}`;
  return new PlexiError('QUEUE_UNAVAILABLE', message, { headers: { 'retry-after': '5' }, cause });
}
