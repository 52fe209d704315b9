/**
 * The data cell: a process that holds the databases of modules, and nothing else. It does one thing at a time; whoever
 * takes too long takes the process along, since SQLite cannot be interrupted here.
 */
import { Socket } from 'node:net';
import { encodeFrame, FRAME_KIND, FrameDecoder } from '../bridge/codec.ts';
import type { DataAnswer, DataRequest } from '../bridge/data-words.ts';
import { DatabaseFiles } from './database-files.ts';
import { runStatements } from './run-statements.ts';

const [, , folder = ''] = process.argv;
const socket = new Socket({ fd: 3, readable: true, writable: true });
const files = new DatabaseFiles(folder);
const decoder = new FrameDecoder();

socket.on('data', (data: Buffer) => decoder.push(data, ({ head }) => answer(JSON.parse(head) as DataRequest)));
socket.on('close', leave);
socket.on('error', leave);
reply(0, true, []);

function answer(request: DataRequest): void {
  const { id, module } = request;
  const send = (isLast: boolean, answers: readonly DataAnswer[], results: readonly string[]): void =>
    reply(id, isLast, answers, results);
  if (request.op === 'run') {
    runStatements(files, request, send);
    return;
  }
  const failure = files.attempt(module, () => {
    if (request.op === 'open') files.declare(module, request.declaration);
    else files.of(module)[request.op]();
  });
  send(true, failure === undefined ? [] : [failure], []);
}

/** Written at once, not when this turn is over: the next statement may be the one that never ends. */
function reply(id: number, isLast: boolean, answers: readonly DataAnswer[], results: readonly string[] = []): void {
  const head = JSON.stringify([id, isLast, answers, files.isExhausted]);
  socket.write(
    encodeFrame(
      FRAME_KIND.control,
      0,
      head,
      results.map((text) => Buffer.from(text)),
    ),
  );
}

/** The host is gone, or closed us. What was acknowledged is in the files. */
function leave(): void {
  files.close();
  process.exit();
}
