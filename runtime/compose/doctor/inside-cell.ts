/**
 * Runs in place of a cell's program, in the same jail and with the same flags: tries what code would try that had left
 * its realm, there, in a thread as modules have it, and in one that Node's permissions do not bind, which code that had
 * left its thread as well could start. Prints for each attempt `done` or the code of the refusal.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect as openConnection } from 'node:net';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Attempts, InsideOrder, InsideReport } from './inside-cell-report.ts';

const ATTEMPT_MS = 1_000;

const here = new URL('.', import.meta.url);

type Kind = 'thread' | 'beyond';

if (isMainThread) await insideCell(JSON.parse(readFileSync(new URL('order.json', here), 'utf8')));
else parentPort?.postMessage(await attemptAll(workerData as InsideOrder));

async function insideCell(order: InsideOrder): Promise<void> {
  const report: InsideReport = {
    cell: await attemptAll(order),
    thread: await attemptAllIn('thread', order),
    // What it does to the process that gets it by mistake: nothing.
    signal: await attempt(() => void process.kill(order.hostProcess, process.platform === 'win32' ? 0 : 'SIGURG')),
    beyond: await attemptAllIn('beyond', { ...order, port: order.beyondPort }),
    environment: Object.keys(process.env),
    hasProto: '__proto__' in Object.prototype,
    flags: process.execArgv,
  };
  // The only stream of a cell.
  process.stderr.write(`${JSON.stringify(report)}\n`);
}

function attemptAllIn(kind: Kind, order: InsideOrder): Promise<Attempts> {
  return new Promise((resolve, reject) => {
    startThread(kind, order).once('message', resolve).once('error', reject);
  });
}

function startThread(kind: Kind, order: InsideOrder): Worker {
  return new Worker(new URL(import.meta.url), {
    env: {},
    argv: [],
    execArgv: kind === 'beyond' ? [] : ['--permission', `--allow-fs-read=${here.pathname}`],
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
}

async function attemptAll(order: InsideOrder): Promise<Attempts> {
  const { file, ownFile, port } = order;
  return {
    read: await attempt(() => void readFileSync(file)),
    own: await attempt(() => void readFileSync(ownFile)),
    list: await attempt(() => void readdirSync('/')),
    write: await attempt(() => writeFileSync(join(file, '..', 'written'), '')),
    connect: await attempt((done, refuse) => {
      openConnection(port, '127.0.0.1').once('connect', done).once('error', refuse);
    }),
    listen: await attempt((done, refuse) => {
      createServer().once('listening', done).once('error', refuse).listen(0, '127.0.0.1');
    }),
    child: await attempt(() => {
      const { error } = spawnSync(process.execPath, ['--version']);
      if (error !== undefined) throw error;
    }),
    addon: await attempt(() => process.dlopen({ exports: {} }, join(file, '..', 'addon.node'))),
    evaluate: await attempt(() => void new Function('return 1')()),
    // Cells start threads; only a thread of a cell may not.
    thread: isMainThread ? 'not tried' : await attempt(() => void startThread('thread', order)),
  };
}

/** @param act does it at once, or says later how it went */
async function attempt(act: (done: () => void, refuse: (error: Error) => void) => void): Promise<string> {
  const outcome = Promise.withResolvers<string>();
  const refuse = (error: NodeJS.ErrnoException): void => outcome.resolve(error.code ?? error.name);
  // Node throws some refusals in a later turn, where nobody can catch them.
  process.once('uncaughtException', refuse);
  try {
    act(() => outcome.resolve('done'), refuse);
    // What takes no functions has done it by now.
    if (act.length === 0) outcome.resolve('done');
  } catch (error) {
    refuse(error as NodeJS.ErrnoException);
  }
  const how = await Promise.race([outcome.promise, after(ATTEMPT_MS).then(() => 'no answer')]);
  process.off('uncaughtException', refuse);
  return how;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
