/** One module's thread as the cell sees it: a Worker, the port to its guest realm, and how it ended. */
import type { MessagePort, Worker } from 'node:worker_threads';
import { MAX_FRAME_BYTES } from '../bridge/codec.ts';
import type { CellCommand, ExitReason } from '../bridge/control.ts';
import type { ModuleThread } from './module-thread.ts';

export interface CellInstanceOptions {
  readonly command: Extract<CellCommand, { op: 'start' }>;
  readonly code: string;
  readonly thread: ModuleThread;
  readonly onBatch: (head: string, parts: readonly Uint8Array[]) => void;
  /** `terminate` was tried with a thread that may be too deep in native code to end. */
  readonly onStuck: (detail: string) => void;
  readonly onExit: (reason: ExitReason, detail: string) => void;
  readonly isBackedUp: () => boolean;
}

/** One message of a guest; the kernel streams what is larger. */
const MAX_HEAD_BYTES = MAX_FRAME_BYTES / 2 - 64 * 1024;
const MAX_PART_BYTES = 1024 * 1024;
const MAX_WAITING_PARTS = 512;
/** Of the parts that wait for their batch: with the largest head they still fit in a frame. */
const MAX_WAITING_BYTES = MAX_FRAME_BYTES / 2;

export class CellInstance {
  readonly worker: Worker;
  readonly memoryMb: number;
  /** The thread's event loop has turned since `ping`. */
  onPong: () => void = () => {};
  readonly #port: MessagePort;
  readonly #options: CellInstanceOptions;
  #parts: Uint8Array[] = [];
  #waitingBytes = 0;
  #exit: { reason: ExitReason; detail: string } | undefined;

  constructor(options: CellInstanceOptions) {
    this.#options = options;
    const { command, code, thread } = options;
    this.memoryMb = command.memoryMb;
    this.worker = thread.worker;
    this.#port = thread.port;
    this.#port.on('message', (message: unknown) => this.#receive(message));
    // Boundary: what cannot be read has had Node load a class of its own choice; a kernel never sends it.
    this.#port.on('messageerror', () => this.terminate('flood', 'a message that cannot be read'));
    thread.load(code, command.config);
    // Whatever it says, it only says that its loop turns.
    this.worker.on('message', () => this.onPong());
    this.worker.on('error', (error: NodeJS.ErrnoException) => {
      this.#exit ??= { reason: error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'heap' : 'failed', detail: error.message };
    });
    this.worker.on('exit', (code) => {
      this.#port.close();
      const { reason, detail } = this.#exit ?? {
        reason: code === 13 ? 'uncaught' : 'exited',
        detail: `exit code ${code}`,
      };
      options.onExit(reason, detail.slice(0, 1000));
    });
  }

  /** Its thread is being ended, or has ended. */
  get ending(): boolean {
    return this.#exit !== undefined;
  }

  /** Asks the thread to answer when its event loop turns. */
  ping(): void {
    this.worker.postMessage(0);
  }

  /** Host to guest: the binary parts first, then the batch that names them. */
  deliver(head: string, parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      const copy = new Uint8Array(part);
      this.#port.postMessage(copy.buffer, [copy.buffer]);
    }
    this.#port.postMessage(head);
  }

  /** Ends the thread, whatever it does; `onExit` follows. */
  terminate(reason: ExitReason, detail = ''): void {
    if (this.#exit === undefined && reason !== 'terminated') this.#options.onStuck(detail);
    this.#exit ??= { reason, detail };
    void this.worker.terminate();
  }

  #receive(message: unknown): void {
    if (this.#exit !== undefined) return;
    // Boundary: strings and ArrayBuffers are all that a guest's port may carry.
    if (typeof message === 'string' && fits(message)) {
      const parts = this.#parts;
      this.#parts = [];
      this.#waitingBytes = 0;
      if (this.#options.isBackedUp()) this.terminate('flood', 'the host could not keep up');
      else this.#options.onBatch(message, parts);
      return;
    }
    if (
      message instanceof ArrayBuffer &&
      // One that can grow holds room for all that it may become.
      !message.resizable &&
      message.byteLength <= MAX_PART_BYTES &&
      this.#parts.length < MAX_WAITING_PARTS &&
      this.#waitingBytes + message.byteLength <= MAX_WAITING_BYTES
    ) {
      this.#waitingBytes += message.byteLength;
      this.#parts.push(new Uint8Array(message));
      return;
    }
    this.terminate('flood', 'a message that is no text or larger than allowed');
  }
}

/** Counted in bytes: a character of JavaScript may have three of them in a frame. */
function fits(head: string): boolean {
  return (
    head.length * 3 <= MAX_HEAD_BYTES || (head.length <= MAX_HEAD_BYTES && Buffer.byteLength(head) <= MAX_HEAD_BYTES)
  );
}
