/** The host's hold on one cell process: spawn, frames in and out, its instances' exits, its end. */
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { Compile } from 'typebox/compile';
import { FRAME_KIND, type Frame, FrameDecoder, FrameError, parseWeighed } from '../bridge/codec.ts';
import {
  type CellCommand,
  type CellEvent,
  CellEventSchema,
  type ExitReason,
  type ThreadReading,
} from '../bridge/control.ts';
import { Outbox } from '../bridge/outbox.ts';
import { weighHead, weighPart } from '../bridge/parse-cost.ts';
import type { CellFiles } from './build.ts';
import { CellLook } from './cell-look.ts';
import { innermost } from './cell-memory.ts';
import type { JailedProcess, OpenJail } from './jail/probe-jail.ts';
import { lastWords } from './last-words.ts';
import { endGroup, startProcess } from './spawn-process.ts';
import { ThreadPriorities } from './thread-priorities.ts';

export interface CellOptions {
  readonly files: CellFiles;
  /** Without one, Node's own permissions hold the cell. */
  readonly jail?: OpenJail | undefined;
  /** Let V8 optimise numeric loops fully; see ARCHITECTURE.md for the price. */
  readonly jit: 'safe' | 'full';
  /** What the process wrote to its standard error, cut to a bound; for the operator's log. */
  readonly onNoise: (text: string) => void;
  readonly onClose: (cell: Cell) => void;
}

/** What a cell tells about one channel. */
export interface ChannelHandler {
  readonly module: string;
  onBatch(head: string, parts: readonly Uint8Array[]): void;
  /** The cell tried to end its thread, which may not be possible. */
  onStuck(detail: string): void;
  /** Its thread has not come to rest for seconds. */
  onSpinning(detail: string): void;
  /** No other module is in the cell, which has more memory than can be accounted for. */
  onBloated(detail: string): void;
  /** What its thread has used; only while it does something. */
  onReading(reading: ThreadReading): void;
  onExit(reason: ExitReason | 'cell', detail: string): void;
}

export { CellStartError } from './spawn-process.ts';

const checkEvent = Compile(CellEventSchema);
const MAX_CHANNEL = 2 ** 47;
/** Ended channels that are remembered: frames of older ones have long arrived. */
const MAX_ENDED = 4096;
/** For channels that ended: the cell's own program sends next to nothing for them. In the life of a cell. */
const MAX_ENDED_BYTES = 16 * 1024 * 1024;
/** A frame without a word still has to be read. */
const MIN_STRAY_BYTES = 64;
/** Events of a cell per second: an exit each, and a word a second about a thread that does not rest. */
const MAX_EVENTS_PER_SECOND = 1_000;
/** What they weigh: the readings of thousands of threads several times a second. */
const MAX_EVENT_COST_PER_SECOND = 16 * 1024 * 1024;
/** What waits for a cell to read it, for so many looks in a row: such a cell does not read any more. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const UNREAD_LOOKS = 3;
const LOOK_MS = 1_000;
/** Noise kept per cell; C++ may print without end. */
const MAX_NOISE_CHARACTERS = 8_000;
/** To read what is thrown away costs time too. What dies of V8 prints a few kilobytes. */
const MAX_NOISE_PER_SECOND = 1024 * 1024;
/** After the socket is closed a cell has this long to leave by itself. */
const LEAVE_MS = 2_000;
/** What it printed may come after its end; what it started may still have that stream. */
const LAST_WORDS_MS = 500;
/** A kernel boots in a fraction of this on the slowest machine that is fit to run it. */
const WARM_MS = 20_000;
/** V8's own heap of the cell's main thread: it relays, so it needs little. */
const CELL_HEAP_MB = 256;

export class Cell {
  readonly outbox: Outbox;
  readonly #process: JailedProcess;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #options: CellOptions;
  readonly #handlers = new Map<number, ChannelHandler>();
  /** Channels that ended: what is still under way for them is no offence. */
  readonly #ended = new Set<number>();
  readonly #warmed: ((cache: Uint8Array) => void)[] = [];
  readonly closed: Promise<void>;
  readonly #look: NodeJS.Timeout;
  readonly #sight: CellLook;
  readonly #priorities = new ThreadPriorities(() => this.processId);
  #endedBytes = 0;
  #events = 0;
  #eventCost = 0;
  #noisePerSecond = 0;
  #unreadLooks = 0;
  #isBloated = false;
  #alive = true;
  #lastWords = '';

  /** @throws CellStartError */
  constructor(options: CellOptions) {
    this.#options = options;
    this.#process = processOf(options);
    this.#sight = new CellLook(this.#process);
    this.#child = this.#start();
    this.#socket = this.#child.stdio[3] as Socket;
    this.outbox = new Outbox(this.#socket);
    const decoder = new FrameDecoder();
    this.#socket.on('data', (data: Buffer) => this.#read(decoder, data));
    this.#socket.on('error', () => this.kill());
    // A cell without its socket is of no use, whatever it still does.
    this.#socket.on('close', () => this.kill());
    this.#look = setInterval(() => this.#lookAtCell(), LOOK_MS).unref();
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.closed = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(`could not be started: ${error.message}`, resolve));
      this.#child.once('exit', (code, signal) =>
        this.#end(signal ? `killed by ${signal}` : `exit code ${code}`, resolve),
      );
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  get processId(): number | undefined {
    return this.#child.pid === undefined ? undefined : innermost(this.#child.pid, this.#process.depth);
  }

  /** It was killed for memory that any of its modules may have: nobody in it is above suspicion. */
  get isBloated(): boolean {
    return this.#isBloated;
  }

  get channels(): number {
    return this.#handlers.size;
  }

  /** Names a channel for an instance. Unguessable: code that left its realm may write to fd 3. */
  open(handler: ChannelHandler): number {
    let channel = randomInt(1, MAX_CHANNEL);
    while (this.#handlers.has(channel) || this.#ended.has(channel)) channel = randomInt(1, MAX_CHANNEL);
    this.#handlers.set(channel, handler);
    return channel;
  }

  send(command: CellCommand, parts: readonly Uint8Array[] = []): void {
    if (command.op === 'start') this.#sight.memory.started(command.channel, command.memoryMb);
    if (command.op === 'terminate') this.#priorities.lift();
    this.outbox.frame(FRAME_KIND.control, 0, JSON.stringify(command), parts);
  }

  /** The kernel's code cache, made by this process. Ask before any module runs in it. */
  warm(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#warmed.push(resolve);
      void this.closed.then(() => reject(new Error(`The cell closed while it warmed up. ${this.#lastWords}`)));
      setTimeout(() => reject(new Error('The cell took too long to warm up.')), WARM_MS).unref();
      this.send({ op: 'warm' });
    });
  }

  /** Closes the socket; a cell leaves by itself then, and is killed when it does not. */
  async close(): Promise<void> {
    this.#socket.end();
    const timer = setTimeout(() => this.kill(), LEAVE_MS);
    await this.closed;
    clearTimeout(timer);
  }

  kill(): void {
    if (this.#alive) endGroup(this.#child);
  }

  #start(): ChildProcess {
    try {
      return startProcess(this.#process);
    } catch (error) {
      this.#process.leave();
      throw error;
    }
  }

  #read(decoder: FrameDecoder, data: Buffer): void {
    try {
      decoder.push(data, (frame) => this.#take(frame));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // Boundary: the cell's own program never breaks the format, so whoever wrote this is not that program.
      this.#noise(`broke the frame format: ${error.message}`);
      this.kill();
    }
  }

  #take(frame: Frame): void {
    if (frame.kind === FRAME_KIND.control && frame.channel === 0) {
      this.#takeEvent(frame);
      return;
    }
    const handler = this.#handlers.get(frame.channel);
    if (frame.kind === FRAME_KIND.batch && handler !== undefined) handler.onBatch(frame.head, frame.parts);
    else this.#takeStray(frame);
  }

  #takeStray({ channel, head, parts }: Frame): void {
    if (!this.#ended.has(channel)) throw new FrameError('a channel that this cell does not have');
    this.#endedBytes += Math.max(head.length, MIN_STRAY_BYTES);
    for (const part of parts) this.#endedBytes += weighPart(part);
    if (this.#endedBytes > MAX_ENDED_BYTES) throw new FrameError('goes on about channels that ended');
  }

  #lookAtCell(): void {
    this.#events = 0;
    this.#eventCost = 0;
    this.#noisePerSecond = 0;
    const { fault, isBusy } = this.#sight.look(this.processId ?? 0, this.#socket.bytesRead);
    if (fault !== undefined) {
      this.#noise(fault);
      this.kill();
      return;
    }
    // The cell says so as well, unless code in it keeps it from that.
    if (isBusy) this.#priorities.notice();
    this.#unreadLooks = this.#socket.writableLength > MAX_UNREAD_BYTES ? this.#unreadLooks + 1 : 0;
    if (this.#unreadLooks < UNREAD_LOOKS) return;
    this.#noise('does not read what it is sent');
    this.kill();
  }

  #takeEvent(frame: Frame): void {
    // Boundary: counted before it is parsed.
    this.#eventCost += frame.head.length + weighHead(frame.head);
    if (this.#eventCost > MAX_EVENT_COST_PER_SECOND)
      throw new FrameError('longer control frames than a cell has to say');
    const event = parseWeighed(frame.head) as CellEvent;
    if (!checkEvent.Check(event)) throw new FrameError('a control frame with another shape');
    this.#events += 1;
    if (this.#events > MAX_EVENTS_PER_SECOND) throw new FrameError('more control frames than a cell has to say');
    if (event.op === 'warmed') {
      const take = this.#warmed.shift();
      if (take === undefined) throw new FrameError('a cache that nobody asked for');
      take(Uint8Array.from(frame.parts[0] ?? []));
      return;
    }
    if (event.op === 'meters') {
      // One that ended in between has nobody left who would want to know.
      for (const reading of event.threads) this.#handlers.get(reading.channel)?.onReading(reading);
      // Only threads with little time to spare have a delay.
      if (event.threads.some(({ delayMs }) => delayMs > 0)) this.#priorities.notice();
      return;
    }
    const handler = this.#handlers.get(event.channel);
    if (handler === undefined) throw new FrameError('an event of a channel that this cell does not have');
    switch (event.op) {
      case 'stuck':
        handler.onStuck(event.detail);
        return;
      case 'spinning':
        handler.onSpinning(event.detail);
        return;
      case 'bloated':
        this.#judgeBloated(handler, event.detail);
        return;
      case 'exit':
        this.#handlers.delete(event.channel);
        this.#sight.memory.ended(event.channel);
        this.#retire(event.channel);
        handler.onExit(event.reason, event.detail);
    }
  }

  /** Who did most is not who has most: alone it is charged, in company all go, and live apart until it is known. */
  #judgeBloated(handler: ChannelHandler, detail: string): void {
    if ([...this.#handlers.values()].every(({ module }) => module === handler.module)) {
      handler.onBloated(detail);
      return;
    }
    this.#isBloated = true;
    this.#noise(detail);
    this.kill();
  }

  #retire(channel: number): void {
    this.#ended.add(channel);
    if (this.#ended.size <= MAX_ENDED) return;
    const [oldest] = this.#ended;
    if (oldest !== undefined) this.#ended.delete(oldest);
  }

  #end(words: string, resolve: () => void): void {
    if (!this.#alive) return;
    this.#alive = false;
    clearInterval(this.#look);
    this.#priorities.close();
    // Boundary: what it started goes with it, also when it ended by itself.
    endGroup(this.#child);
    this.#process.leave();
    setTimeout(() => this.#child.stderr?.destroy(), LAST_WORDS_MS).unref();
    this.outbox.close();
    this.#socket.destroy();
    const last = lastWords(this.#lastWords);
    const detail = last === '' ? words : `${words}; ${last}`;
    const handlers = [...this.#handlers.values()];
    this.#handlers.clear();
    for (const handler of handlers) handler.onExit('cell', detail);
    this.#options.onClose(this);
    resolve();
  }

  #hear(text: string): void {
    this.#noise(text);
    this.#noisePerSecond += text.length;
    if (this.#noisePerSecond <= MAX_NOISE_PER_SECOND) return;
    this.kill();
    this.#child.stderr?.destroy();
  }

  #noise(text: string): void {
    const room = MAX_NOISE_CHARACTERS - this.#lastWords.length;
    if (room <= 0) return;
    const kept = text.slice(0, room);
    this.#lastWords += kept;
    this.#options.onNoise(kept);
  }
}

function processOf(options: CellOptions): JailedProcess {
  const { jail } = options;
  const files = jail?.files ?? options.files;
  const args = [...cellFlags(files, options.jit), files.program];
  if (jail !== undefined) return jail.enter(args);
  return {
    file: process.execPath,
    args,
    cwd: files.emptyFolder,
    depth: 0,
    user: undefined,
    goesFirst: false,
    leave: () => {},
  };
}

function cellFlags(files: CellFiles, jit: CellOptions['jit']): string[] {
  return [
    '--no-warnings',
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${files.folder}/`,
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    `--max-old-space-size=${CELL_HEAP_MB}`,
    // A loop of `new Array(1000)` cannot be ended under TurboFan, not even by process.exit.
    ...(jit === 'full' ? [] : ['--no-turbofan']),
  ];
}
