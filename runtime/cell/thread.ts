/**
 * Runs in a module's thread, in the outer realm: builds the sealed guest realm with the kernel in it, waits for the
 * module, then makes itself powerless. The order is the contract (ARCHITECTURE.md, the sealed realm). Until the module
 * comes the thread has run nobody's code, so a cell can keep one ready.
 */
import vm from 'node:vm';
import {
  MessageChannel,
  type MessagePort,
  moveMessagePortToContext,
  parentPort,
  workerData,
} from 'node:worker_threads';
import { severOuterRealm } from './sever.ts';
import { serveTimers } from './timers.ts';

/** What a thread is started with. */
export interface ThreadData {
  /** The guest's end of the bridge. */
  readonly port: MessagePort;
  readonly kernel: string;
  readonly kernelCache: Uint8Array | undefined;
}

/** What it is given later, once. */
export interface ModuleLoad {
  readonly code: string;
  /** A GuestConfig as JSON. */
  readonly config: string;
  /** Only while the cell warms the kernel's code cache, when the code is our own: a message asks for the cache. */
  readonly warm: MessagePort | undefined;
}

/** The exit code of a thread that met an error of its module which nothing caught. */
const EXIT_UNCAUGHT = 13;
/** On the timers' port, where every other number is a timer's. */
const REJECTION_NOTE = 0;

type Boot = (port: MessagePort, control: MessagePort, config: string) => { start(main: unknown): void };

const { port, kernel, kernelCache } = workerData as ThreadData;

let rejectionNoted = false;
// Boundary: Node prints an uncaught value by calling hooks on it; these two never touch the value.
const exit = process.exit.bind(process);
process.setUncaughtExceptionCaptureCallback(() => exit(EXIT_UNCAUGHT));
process.on('unhandledRejection', () => noteRejection());
// Else Node writes a warning, with an error of its own, for each rejection that is handled late: a module may make many.
process.on('rejectionHandled', () => {});

const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, {
  name: 'module',
  codeGeneration: { strings: false, wasm: false },
});
const guestPort = moveMessagePortToContext(port, context) as unknown as MessagePort;
const { setTimeout } = globalThis;
const timers = new MessageChannel();
const guestTimers = moveMessagePortToContext(timers.port2, context) as unknown as MessagePort;
serveTimers(timers.port1);

const script = new vm.Script(kernel, {
  filename: 'plexichat-kernel.js',
  ...(kernelCache === undefined ? {} : { cachedData: kernelCache }),
});
const boot = script.runInContext(context) as Boot;
const start = vm.runInContext('((guest, main) => { Promise.resolve().then(() => guest.start(main)); })', context);
parentPort?.once('message', load);

function load({ code, config, warm }: ModuleLoad): void {
  const guest = boot(guestPort, guestTimers, config);
  // compileFunction takes a function body: no text can break out of it.
  const main = vm.compileFunction(code, ['sdk'], { parsingContext: context, filename: 'module.js' });
  // The cache is made after the kernel has served a call, so that it has the functions that one needs.
  warm?.once('message', () => warm.postMessage(script.createCachedData()));
  // The cell asks now and then whether the event loop turns (thread-watch.ts).
  parentPort?.on('message', (ping: unknown) => parentPort?.postMessage(ping));
  dropPermissions();
  severOuterRealm();
  start(guest, main);
}

/** Tells the guest that a promise of its was left rejected, at most once a second; the reason stays where it is. */
function noteRejection(): void {
  if (rejectionNoted) return;
  rejectionNoted = true;
  setTimeout(() => {
    rejectionNoted = false;
  }, 1_000);
  timers.port1.postMessage(REJECTION_NOTE);
}

function dropPermissions(): void {
  const permission = process.permission as { drop?: (scope: string) => void } | undefined;
  for (const scope of ['fs', 'net', 'child', 'worker', 'addon', 'wasi', 'inspector', 'ffi']) permission?.drop?.(scope);
}
