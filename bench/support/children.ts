/** Programs that the benches start, each a process of its own that ends with the bench, however the bench ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEAN_MALLOC } from '../../runtime/cli/lean-malloc.ts';

/** What a child sends: `ready` once, then one answer per question. */
export type FromChild = { readonly ready: unknown } | { readonly answer: unknown } | { readonly failure: string };

/** Until it says that it is ready: a host may have hundreds of modules to bundle. */
const START_MS = 120_000;
/** After it was told to end. */
const STOP_MS = 20_000;

const running = new Set<Child<unknown>>();

/** @param options whatever the program reads with `childOptions` */
export async function startChild<Ready>(
  program: URL,
  options: unknown,
  flags: readonly string[] = [],
): Promise<Child<Ready>> {
  const child = new Child<Ready>(program, options, flags);
  running.add(child);
  void child.ended.then(() => running.delete(child));
  const timer = setTimeout(() => child.kill(), START_MS);
  await child.started.finally(() => clearTimeout(timer));
  return child;
}

export async function stopChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

class Child<Ready> {
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  readonly #name: string;
  #ready: { readonly value: Ready } | undefined;
  #pending: PromiseWithResolvers<unknown> | undefined;

  constructor(program: URL, options: unknown, flags: readonly string[]) {
    this.#name = basename(program.pathname);
    this.#process = spawn(process.execPath, [...flags, fileURLToPath(program), JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // As `plexi serve` does.
      env: { ...LEAN_MALLOC, ...process.env },
    });
    const started = Promise.withResolvers<unknown>();
    this.#pending = started;
    this.started = started.promise.then((value) => {
      this.#ready = { value: value as Ready };
    });
    this.#process.on('message', (message) => this.#take(message as FromChild));
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#pending?.reject(new Error(`${this.#name} ended: ${how}`));
        this.#pending = undefined;
        resolve();
      };
      this.#process.once('error', (error) => end(error.message));
      this.#process.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  get ready(): Ready {
    if (this.#ready === undefined) throw new Error(`${this.#name} is not ready yet.`);
    return this.#ready.value;
  }

  get processId(): number {
    return this.#process.pid ?? -1;
  }

  /** One question at a time. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    if (this.#pending !== undefined) throw new Error(`${this.#name} has not answered the last question yet.`);
    if (!this.#process.connected) throw new Error(`${this.#name} has ended.`);
    this.#pending = Promise.withResolvers<unknown>();
    const { promise } = this.#pending;
    this.#process.send(question as object);
    return (await promise) as Answer;
  }

  /** A child ends by itself when its channel closes; it is killed when it does not. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.kill(), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #take(message: FromChild): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if ('failure' in message) pending?.reject(new Error(`${this.#name}: ${message.failure}`));
    else pending?.resolve('ready' in message ? message.ready : message.answer);
  }
}

export type { Child };
