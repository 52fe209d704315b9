/**
 * A program that runs one confinement case in a realm as people make them, to show that the case can get something at
 * all. It has no wall on purpose and may die, so it is a process of its own, started by confinement-naive.ts.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  moveMessagePortToContext,
  Worker,
  workerData,
} from 'node:worker_threads';
import { NAIVE_KERNEL } from './naive-kernel.ts';
import { createSdkObjects } from './naive-sdk.ts';

/**
 * `context`: a context with functions, the sdk and a port of the outer realm in it. `moved`: the port is moved in, with
 * all that it has. `kernel`: the module sees functions of its own realm only, and naive-kernel.ts behind them. `handed`:
 * the outer realm's intrinsics are globals. `thread`: a context in a thread, which inspects what nobody caught. `bare`: no
 * realm at all. `open`: nor is any switch of V8 left off.
 */
export type NaiveRealm = 'context' | 'moved' | 'kernel' | 'handed' | 'thread' | 'bare' | 'open';

export interface NaiveTask {
  readonly realm: NaiveRealm;
  readonly prelude: string;
  readonly text: string;
  readonly isModule: boolean;
  readonly wantsPort: boolean;
  readonly plantedFile: string;
}

type Handler = (...args: unknown[]) => unknown;

/** What a context has of its own, and some hand in all the same. */
const INTRINSICS = [
  'Array',
  'Atomics',
  'Date',
  'Intl',
  'Iterator',
  'JSON',
  'Map',
  'Promise',
  'Reflect',
  'RegExp',
  'Temporal',
];

const require = createRequire(import.meta.url);
const task = (isMainThread ? JSON.parse(readFileSync(0, 'utf8')) : workerData) as NaiveTask;
const say = (result: unknown): void => void writeSync(1, `${JSON.stringify(result)}\n`);
const { port1: hostPort, port2: guestPort } = new MessageChannel();
const handlers: Record<string, Handler> = {};
const host = serve(hostPort);
const api = {
  rpc: (method: string, ...args: unknown[]) => host(method, args),
  handle: (name: string, handler: Handler) => {
    handlers[name] = handler;
  },
};
await start();
// What was sent to the port is still on its way.
await new Promise((resolve) => setTimeout(resolve, 20));
process.exit(0);

function start(): Promise<void> {
  if (task.realm === 'thread' && isMainThread) return runInThread();
  return task.realm === 'bare' || task.realm === 'open' ? runInThisRealm() : runInContext();
}

function runInThread(): Promise<never> {
  const thread = new Worker(new URL(import.meta.url), { workerData: task });
  return new Promise((_resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', (code) => process.exit(code));
  });
}

async function runInContext(): Promise<void> {
  const intrinsics = task.realm === 'handed' ? pick(INTRINSICS) : {};
  const context = vm.createContext({ ...hostGlobals(), ...intrinsics, api });
  const port =
    task.realm === 'moved' ? (moveMessagePortToContext(guestPort, context) as unknown as MessagePort) : guestPort;
  const evaluate = (code: string): unknown =>
    vm.runInContext(code, context, { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  const kernel = task.realm === 'kernel' ? (evaluate(NAIVE_KERNEL) as (outer: object) => typeof api) : undefined;
  await attempt(
    evaluate,
    port,
    kernel?.({ send: api.rpc, handle: api.handle, onAnswer: (answer: unknown) => answer }) ?? api,
  );
}

async function runInThisRealm(): Promise<void> {
  Object.assign(globalThis, { require, module: { constructor: require('node:module') }, api });
  const evaluate = (code: string): unknown =>
    vm.runInThisContext(code, { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER });
  await attempt(evaluate, guestPort, api);
}

async function attempt(evaluate: (code: string) => unknown, port: MessagePort, given: typeof api): Promise<void> {
  if (task.isModule) {
    evaluate(`(function (api) {\n${task.text}\n})`);
    return;
  }
  const run = evaluate(`${task.prelude}
    (async (api, raw, file, given) => {
      const t = makeT(api, raw, file, given);
      try { await (${task.text.trim().replace(/;$/, '')})(t); } catch (error) { t.probe(error, 'threw'); }
      return t.result();
    })`) as (...args: unknown[]) => Promise<unknown>;
  if (task.wantsPort) await listen(evaluate, port);
  // What is reached is said at once: the case may take the process down.
  const objects = { ...(await createSdkObjects()), onRise: say };
  say(await run(given, task.wantsPort ? port : undefined, task.plantedFile, objects));
}

/** The host's end, as trusting as the first draft of a bridge: it believes what comes, and in the order in which it comes. */
function serve(port: MessagePort): (method: string, args: unknown[]) => unknown {
  const pending = new Map<unknown, (value: unknown) => void>();
  let next = 0;
  let acceptedNonString = false;
  const values: Record<string, unknown> = {};
  const methods: Record<string, Handler> = {
    echo: (value) => value,
    merge: (value) => merge({}, value),
    failSync: () => {
      throw new Error('SECRET of /runtime/host.mjs');
    },
    failAsync: async () => {
      throw new Error('SECRET of /runtime/host.mjs');
    },
    callMeBack: (...args) =>
      task.wantsPort
        ? new Promise((resolve) => {
            const h = next++;
            pending.set(h, resolve);
            port.postMessage(JSON.stringify({ h, m: 'cb', a: args }));
          })
        : assimilate(handlers.cb?.(...args)),
    kvSet: (key, value) => {
      values[String(key)] = value;
    },
    kvGet: (key) => values[String(key)],
    hostCheck: () => ({ polluted: 'polluted' in {} }),
    rawStats: () => ({ acceptedNonString }),
    note: (result) => say(result),
  };
  port.on('message', (data) => {
    if (typeof data !== 'string') acceptedNonString = true;
    const message = typeof data === 'string' ? JSON.parse(data) : data;
    if ('h' in message) pending.get(message.h)?.(message.r);
    else port.postMessage(JSON.stringify({ id: message.id, r: (methods[message.m] as Handler)(...message.a) }));
  });
  return async (method, args) => {
    const result = methods[method]?.(...args);
    if (!task.wantsPort) return result;
    // Answers travel over the port, so what was sent before has arrived by then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    port.postMessage(JSON.stringify({ id: next++, r: 'answered' }));
    return method === 'rawStats' ? { acceptedNonString } : result;
  };
}

/** As libraries did it before promises were part of the language. */
function assimilate(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('then' in value) || typeof value.then !== 'function')
    return value;
  const { then } = value;
  return new Promise((resolve, reject) =>
    then.call(
      value,
      (done: unknown) => resolve(done),
      (error: unknown) => reject(error),
    ),
  );
}

function merge(into: Record<string, unknown>, from: unknown): unknown {
  for (const [key, value] of Object.entries(from ?? {})) {
    const had = into[key] ?? {};
    into[key] = typeof value === 'object' && value !== null ? merge(had as Record<string, unknown>, value) : value;
  }
  return into;
}

/** The guest's end of the port; it leaves `onmessage` to the case, as ours would have to. */
async function listen(evaluate: (code: string) => unknown, port: MessagePort): Promise<void> {
  const listener = evaluate(`(port, handlers) => {
    port.onmessage = async (event) => {
      const message = JSON.parse(event.data);
      if (message.h !== undefined) port.postMessage(JSON.stringify({ h: message.h, r: await handlers.cb(...message.a) }));
    };
    if (port.start) port.start();
  }`) as (port: MessagePort, given: typeof handlers) => void;
  listener(port, handlers);
}

/** What people put into a context so that code from elsewhere feels at home. */
function hostGlobals(): Record<string, unknown> {
  const every = new Set<string>(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]);
  const kept = ['process', 'global', 'Buffer', 'api'];
  return pick(Object.getOwnPropertyNames(globalThis).filter((name) => !every.has(name) && !kept.includes(name)));
}

function pick(names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)]));
}
