/** The host's hold on one data cell: started in the jail, spoken to in frames, killed when it has to be. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { Compile } from 'typebox/compile';
import { encodeFrame, FRAME_KIND, FrameDecoder, FrameError } from '../bridge/codec.ts';
import { type DataReply, DataReplySchema, type DataRequest } from '../bridge/data-words.ts';
import type { CellFiles } from '../cells/build.ts';
import type { JailedProcess, OpenJail } from '../cells/jail/probe-jail.ts';
import { lastWords } from '../cells/last-words.ts';
import { endGroup, startProcess } from '../cells/spawn-process.ts';

export interface DataProcessOptions {
  readonly files: CellFiles;
  /** Without one, Node's own permissions hold it. */
  readonly jail?: OpenJail | undefined;
  /** Where the databases are: the only folder that it may write to. */
  readonly folder: string;
  /** What SQLite and the program may have beyond what Node itself takes. */
  readonly memoryMb: number;
  readonly onReply: (reply: DataReply, results: readonly string[]) => void;
  /** For the operator's log. */
  readonly onNoise: (text: string) => void;
  readonly onEnd: (words: string) => void;
}

const checkReply = Compile(DataReplySchema);
const MB = 1024 * 1024;
/** What the kernel counts of a Node that has done nothing yet, reserved memory for the most part. */
const NODE_MB = 700;
const HEAP_MB = 192;
const MAX_NOISE_CHARACTERS = 8_000;
const LEAVE_MS = 2_000;

export class DataProcess {
  readonly closed: Promise<void>;
  readonly #process: JailedProcess;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #options: DataProcessOptions;
  #alive = true;
  #noise = '';

  /** @throws CellStartError */
  constructor(options: DataProcessOptions) {
    this.#options = options;
    this.#process = processOf(options);
    this.#child = startProcess(this.#process);
    this.#socket = this.#child.stdio[3] as Socket;
    const decoder = new FrameDecoder();
    this.#socket.on('data', (data: Buffer) => this.#read(decoder, data));
    this.#socket.on('error', () => this.kill());
    this.#socket.on('close', () => this.kill());
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(`could not be started: ${error.message}`, resolve));
      this.#child.once('exit', (code, signal) =>
        this.#end(signal ? `killed by ${signal}` : `exit code ${code}`, resolve),
      );
    });
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** @throws FrameError when the request is too large for a frame */
  send(request: DataRequest): void {
    if (this.#alive) this.#socket.write(encodeFrame(FRAME_KIND.control, 0, JSON.stringify(request), []));
  }

  kill(): void {
    if (this.#alive) endGroup(this.#child);
  }

  /** It leaves by itself when its socket is closed, or is killed. */
  async close(): Promise<void> {
    this.#socket.end();
    const timer = setTimeout(() => this.kill(), LEAVE_MS);
    await this.closed;
    clearTimeout(timer);
  }

  #read(decoder: FrameDecoder, data: Buffer): void {
    try {
      decoder.push(data, ({ head, parts }) => {
        const reply: unknown = JSON.parse(head);
        // Boundary: what holds hostile SQL is not believed more than its format.
        if (!checkReply.Check(reply)) throw new FrameError('a reply of another shape');
        this.#options.onReply(reply, parts.map(toText));
      });
    } catch (error) {
      if (!(error instanceof FrameError) && !(error instanceof SyntaxError)) throw error;
      this.#hear(`broke the frame format: ${error.message}`);
      this.kill();
    }
  }

  #hear(text: string): void {
    const kept = text.slice(0, MAX_NOISE_CHARACTERS - this.#noise.length);
    if (kept === '') return;
    this.#noise += kept;
    this.#options.onNoise(kept);
  }

  #end(words: string, resolve: () => void): void {
    if (!this.#alive) return;
    this.#alive = false;
    endGroup(this.#child);
    this.#process.leave();
    this.#socket.destroy();
    const last = lastWords(this.#noise);
    this.#options.onEnd(last === '' ? words : `${words}; ${last}`);
    resolve();
  }
}

function processOf({ files, jail, folder, memoryMb }: DataProcessOptions): JailedProcess {
  const inside = jail?.files ?? files;
  const args = (kept: string): readonly string[] => [
    '--no-warnings',
    '--permission',
    `--allow-fs-read=${inside.folder}/`,
    // Boundary: SQLite itself asks nobody; that no other file is named is the program's part, and the jail's.
    `--allow-fs-read=${kept}/`,
    `--allow-fs-write=${kept}/`,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    `--max-old-space-size=${HEAP_MB}`,
    inside.dataProgram,
    kept,
  ];
  if (jail !== undefined) return jail.enterKeeping({ folder, dataBytes: (NODE_MB + HEAP_MB + memoryMb) * MB }, args);
  return {
    file: process.execPath,
    args: args(folder),
    cwd: files.emptyFolder,
    depth: 0,
    user: undefined,
    goesFirst: false,
    leave: () => {},
  };
}

function toText(part: Uint8Array): string {
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('utf8');
}
