/**
 * The cell process: relays frames between the host's socket and the threads of its modules, starts, meters and ends
 * them. It runs no module code on this thread and knows nothing of what the frames say.
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { FRAME_KIND, type Frame, FrameDecoder } from '../bridge/codec.ts';
import type { CellCommand, CellEvent, ExitReason } from '../bridge/control.ts';
import { FairOutbox } from './fair-outbox.ts';
import { CellInstance } from './instance.ts';
import { createSpare } from './spare.ts';
import { warmKernel } from './warm.ts';
import { watch } from './watchdog.ts';

/** Of one instance: beyond this the host does not keep up with what it sends. */
const HIGH_WATER_BYTES = 64 * 1024 * 1024;
/** Reasons of an end that nobody brought about. */
const BY_ITSELF: ReadonlySet<ExitReason> = new Set(['exited', 'uncaught']);

const socket = new Socket({ fd: 3, readable: true, writable: true });
const outbox = new FairOutbox(socket);
const decoder = new FrameDecoder();
const instances = new Map<number, CellInstance>();
const here = new URL('.', import.meta.url);
const kernel = readFileSync(new URL('kernel.js', here), 'utf8');
const spare = createSpare({ text: kernel, cache: readShared(new URL('kernel.cache', here)) });

/** What is said of a channel takes its lane: the host hears of no channel again after its end. */
const send = (event: CellEvent, parts: readonly Uint8Array[] = [], lane = 0): void =>
  outbox.frame(lane, FRAME_KIND.control, 0, JSON.stringify(event), parts);

const watchdog = watch({
  instances,
  onSpinning: (channel, detail) => send({ op: 'spinning', channel, detail }, [], channel),
  onBloated: (channel, detail) => send({ op: 'bloated', channel, detail }, [], channel),
  onReadings: (threads) => send({ op: 'meters', threads }),
});
socket.on('data', (data: Buffer) => decoder.push(data, take));
socket.on('close', leave);
socket.on('error', leave);

/**
 * The host is gone, or closed us: nobody is left to run modules for. An exit would wait for every thread to end, and
 * one deep in native code may never do so.
 */
function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}

function take(frame: Frame): void {
  if (frame.kind === FRAME_KIND.batch) {
    instances.get(frame.channel)?.deliver(frame.head, frame.parts);
    return;
  }
  const command = JSON.parse(frame.head) as CellCommand;
  switch (command.op) {
    case 'start':
      start(command, frame.parts);
      return;
    case 'terminate':
      instances.get(command.channel)?.terminate('terminated');
      return;
    case 'warm':
      // A kernel that does not boot fails every module in a way that they report; the host only learns that there is no cache.
      warmKernel(kernel).then(
        (cache) => send({ op: 'warmed' }, [cache]),
        () => process.exit(1),
      );
  }
}

function start(command: Extract<CellCommand, { op: 'start' }>, [code]: readonly Uint8Array[]): void {
  const { channel } = command;
  const instance = new CellInstance({
    command,
    code: Buffer.from(code ?? new Uint8Array()).toString('utf8'),
    thread: spare.take(command.memoryMb),
    onBatch: (head, parts) => outbox.frame(channel, FRAME_KIND.batch, channel, head, parts),
    onStuck: (detail) => {
      outbox.drop(channel);
      send({ op: 'stuck', channel, detail }, [], channel);
    },
    onExit: (reason, detail) => {
      instances.delete(channel);
      watchdog.update();
      // What it said last still comes before its end, unless somebody ended it: then nobody listens any more.
      if (!BY_ITSELF.has(reason)) outbox.drop(channel);
      send({ op: 'exit', channel, reason, detail }, [], channel);
    },
    isBackedUp: () => outbox.waitingBytes(channel) > HIGH_WATER_BYTES,
  });
  instances.set(channel, instance);
  watchdog.update();
}

/** One copy for all threads of this process. */
function readShared(file: URL): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}
