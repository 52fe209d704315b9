/**
 * Runs in a module's thread, in the outer realm: builds the sealed guest realm, gives it two moved ports and two
 * texts, then makes itself powerless. The order is the contract (ARCHITECTURE.md, the sealed realm).
 */
import vm from 'node:vm';
import { MessageChannel, type MessagePort, moveMessagePortToContext, workerData } from 'node:worker_threads';
import { severOuterRealm } from './sever.ts';
import { serveTimers } from './timers.ts';

export interface ThreadData {
  readonly port: MessagePort;
  readonly kernel: string;
  readonly kernelCache: Uint8Array | undefined;
  readonly code: string;
  /** A GuestConfig as JSON. */
  readonly config: string;
  /** Set only while the cell warms the kernel's code cache: no module's code is in the thread then. */
  readonly warm: MessagePort | undefined;
}

/** The exit code of a thread that met an error of its module which nothing caught. */
const EXIT_UNCAUGHT = 13;
/** On the timers' port, where every other number is a timer's. */
const REJECTION_NOTE = 0;

type Boot = (port: MessagePort, control: MessagePort, config: string) => { start(main: unknown): void };

const { port, kernel, kernelCache, code, config, warm } = workerData as ThreadData;

let rejectionNoted = false;
// Boundary: Node prints an uncaught value by calling hooks on it; these two never touch the value.
const exit = process.exit.bind(process);
process.setUncaughtExceptionCaptureCallback(() => exit(EXIT_UNCAUGHT));
process.on('unhandledRejection', () => noteRejection());

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
const guest = boot(guestPort, guestTimers, config);
// compileFunction takes a function body: no text can break out of it.
const main = vm.compileFunction(code, ['sdk'], { parsingContext: context, filename: 'module.js' });
const start = vm.runInContext('((guest, main) => { Promise.resolve().then(() => guest.start(main)); })', context);
// The cache is made after the kernel ran, so that it has the functions a boot needs; see warmKernel in the cell.
if (warm !== undefined) warm.postMessage(script.createCachedData());

dropPermissions();
severOuterRealm();
start(guest, main);

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
