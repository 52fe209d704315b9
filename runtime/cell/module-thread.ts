/** A thread with a booted kernel and no module yet: it can be started ahead, and is given its module once. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { ModuleLoad, ThreadData } from './thread.ts';

export interface Kernel {
  readonly text: string;
  readonly cache: Uint8Array | undefined;
}

/** Young generation of a thread: small, since every idle module pays for it. */
const YOUNG_GENERATION_MB = 4;
/** Address space for compiled code: V8 would reserve 512 MB, which the kernel counts against the ceiling of the cell. */
const CODE_RANGE_MB = 64;

export class ModuleThread {
  readonly worker: Worker;
  /** The cell's end of the bridge. */
  readonly port: MessagePort;
  readonly memoryMb: number;

  /** The thread has nothing: no environment, no arguments, no streams, no permission. */
  constructor(kernel: Kernel, memoryMb: number) {
    const { port1, port2 } = new MessageChannel();
    const data: ThreadData = { port: port2, kernel: kernel.text, kernelCache: kernel.cache };
    this.port = port1;
    this.memoryMb = memoryMb;
    this.worker = new Worker(new URL('thread.js', import.meta.url), {
      name: 'module',
      env: {},
      argv: [],
      execArgv: ['--permission', `--allow-fs-read=${new URL('.', import.meta.url).pathname}`],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: memoryMb,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        codeRangeSizeMb: CODE_RANGE_MB,
      },
      workerData: data,
      transferList: [port2],
    });
    // Nothing should ever come; what comes must not pile up.
    this.worker.stdout.resume();
    this.worker.stderr.resume();
  }

  load(code: string, config: string, warm?: MessagePort): void {
    const message: ModuleLoad = { code, config, warm };
    this.worker.postMessage(message, warm === undefined ? [] : [warm]);
  }
}
