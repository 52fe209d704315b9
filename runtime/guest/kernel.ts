/**
 * What boots in a guest realm before the module: seals the realm, ties the bridge, hands the sdk to the module's code.
 * esbuild makes one classic script of it; the thread runs that script and calls `boot` with two ports and a text.
 */
import './seal.ts';
import './clock.ts';
import { createSdk } from '@plexichat/sdk/guest';
import { createRunner, type ModuleRunner } from '@plexichat/sdk/module/runner';
import { BodyStreams, type StreamMessage } from '@plexichat/sdk/protocol/body-streams';
import type { GuestApi, GuestConfig, LifeAnswer } from '@plexichat/sdk/protocol/guest-api';
import * as Comlink from 'comlink';
import { openChannel, type WireMessage } from './channel.ts';
import { createHostBinding, describeError } from './host-binding.ts';
import { createHostCalls } from './host-calls.ts';
import type { GuestPort } from './port.ts';
import { lockStackTraces } from './seal.ts';
import { createTimers, type Timers } from './timers.ts';
import { installWebGlobals } from './web/index.ts';

type ModuleMain = (sdk: object) => unknown;
type Listener = (event: { data: unknown }) => void;

/** Called by the thread's outer realm, once. `start` runs the module's code from a job of this realm. */
export function boot(port: GuestPort, control: GuestPort, configText: string): { start(main: ModuleMain): void } {
  const config: GuestConfig = JSON.parse(configText);
  if (!config.diagnostics) lockStackTraces();

  let onCall: Listener = () => {};
  const channel = openChannel(port, {
    call: (message) => onCall({ data: message }),
    reply: (message) => hostCalls.reply(message),
    stream: (message, part) => streams.accept(message, part),
  });
  const streams = new BodyStreams({ send: (message: StreamMessage, part) => channel.post(message, part) });
  const endpoint = (listen: (listener: Listener) => void): Comlink.Endpoint =>
    ({
      postMessage: (message: WireMessage) => channel.post(message),
      addEventListener: (_type: string, listener: Listener) => listen(listener),
      removeEventListener: () => {},
    }) as unknown as Comlink.Endpoint;

  const hostCalls = createHostCalls((message) => channel.post(message));

  const onLost = (error: unknown): void => binding.log('error', `Nobody caught: ${describeError(error).message}`);
  const timers = createTimers(control, onLost);
  const binding = createHostBinding({ hostCalls, streams, timers, diagnostics: config.diagnostics });
  installTimers(timers, onLost);
  installWebGlobals(globalThis, {
    seed: fromHex(config.seed),
    log: (level, text) => binding.log(level, text),
    setTimeout: (callback, delayMs) => timers.setTimeout(callback, delayMs),
    clearTimeout: (id) => timers.clearTimeout(id),
  });

  let started: (outcome: Promise<ModuleRunner>) => void = () => {};
  const runner = new Promise<ModuleRunner>((resolve) => {
    started = resolve;
  });
  // Nobody may be asking yet: a failure is kept for the first call and must not count as unhandled before.
  runner.catch(() => {});

  Comlink.expose(
    createGuestApi(runner),
    endpoint((listener) => {
      onCall = listener;
    }),
  );

  return {
    start(main) {
      const job = Promise.resolve().then(() => createRunner(main(createSdk()), config.manifest as never, binding));
      started(job);
    },
  };
}

function createGuestApi(runner: Promise<ModuleRunner>): GuestApi {
  let live: ModuleRunner | undefined;
  const life = async (step: (module: ModuleRunner) => Promise<void>): Promise<LifeAnswer> => {
    try {
      live = await runner;
      await step(live);
      return { ok: true };
    } catch (error) {
      return { ok: false, ...describeError(error) };
    }
  };
  return {
    async describe() {
      try {
        return { ok: true, declaration: (await runner).declaration };
      } catch (error) {
        return { ok: false, ...describeError(error) };
      }
    },
    initialize: () => life((module) => module.initialize()),
    invoke(request, body) {
      if (live === undefined) {
        return Promise.resolve({ ok: false, code: 'MODULE_ERROR', message: 'The module has not been initialised.' });
      }
      return live.invoke(request, body);
    },
    runTask(request, data) {
      if (live === undefined) {
        return Promise.resolve({ ok: false, code: 'MODULE_ERROR', message: 'The module has not been initialised.' });
      }
      return live.runTask(request, data);
    },
    event(request, data) {
      if (live === undefined) return Promise.resolve({ ok: false, message: 'The module has not been initialised.' });
      return live.event(request, data);
    },
    callMethod(request, args) {
      if (live === undefined) {
        return Promise.resolve({ ok: false, code: 'MODULE_ERROR', message: 'The module has not been initialised.' });
      }
      return live.callMethod(request, args);
    },
    changeSettings: (settings) => life((module) => module.changeSettings(settings)),
    cancel: async (invocation) => live?.cancel(invocation) ?? false,
    shutdown: () => life((module) => module.shutdown()),
  };
}

function installTimers(timers: Timers, onLost: (error: unknown) => void): void {
  const resolved = Promise.resolve();
  const globals = {
    setTimeout: timers.setTimeout,
    setInterval: timers.setInterval,
    clearTimeout: timers.clearTimeout,
    clearInterval: timers.clearTimeout,
    queueMicrotask: (callback: () => void) => {
      if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function to call.');
      resolved.then(() => callback()).then(undefined, onLost);
    },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
}

function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}
