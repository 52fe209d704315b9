/** A case as a module: the text that a cell runs. It is not linted; what the linter refuses has to hold here as well. */
import { type ConfinementCase, PRELUDE } from './confinement-case.ts';

export interface CaseModule {
  readonly before: string;
  readonly body: string;
}

/** @param plantedFile what the case may try to read */
export function toModule({ text, flags }: ConfinementCase, plantedFile: string): CaseModule {
  const wantsPort = flags.has('rawport');
  return {
    before: `
      ${PRELUDE}
      ${GLUE}
      ${wantsPort ? PORT : ''}
      const attempt = ${text.trim().replace(/;$/, '')};
      const settings = { file: ${JSON.stringify(plantedFile)}, notes: ${wantsPort || flags.has('crash')}, openPort: ${wantsPort ? 'openPort' : 'undefined'} };`,
    body: `
      onattempt(context) { return runAttempt(attempt, settings, sdk, this, context); }
      oncb(context) { return callBack(context); }`,
  };
}

/** `api` on top of what the sdk has, and the endpoint that runs the case. */
const GLUE = `
  const handlers = { __proto__: null };
  function callBack(context) { return handlers.cb(...context.params.args); }
  const makeApi = (module) => Object.freeze({
    rpc: (method, ...args) => module.getUserTier([method, args]),
    handle: (name, handler) => { handlers[name] = handler; },
  });
  const runAttempt = async (attempt, settings, sdk, module, context) => {
    const api = makeApi(module);
    const { then } = Promise.prototype;
    const note = (result) => { then.call(api.rpc('note', result), undefined, () => {}); };
    const port = settings.openPort === undefined ? undefined : await settings.openPort(module);
    const t = makeT(api, port?.raw, settings.file, { sdk, module, context, onRise: settings.notes ? note : undefined });
    let threw;
    try {
      await attempt(t);
    } catch (error) {
      threw = 'the case threw';
      try { threw = error.name + ': ' + error.message; } catch {}
      t.probe(error, 'threw');
    }
    await port?.settled();
    const { level, notes } = t.result();
    return { level, notes, threw, hadPort: port?.raw !== undefined };
  };`;

/**
 * The bridge's port as a module gets hold of it: a setter on Object.prototype hears of it from Node's own event. What it
 * lacks, its natives, the kernel lends: it walks an array of parts with Array's iterator and sends what comes out.
 */
const PORT = `
  const openPort = async (module) => {
    const { join } = Array.prototype;
    const iterate = Array.prototype[Symbol.iterator];
    const { then } = Promise.prototype;
    const later = setTimeout;
    const wait = (ms) => new Promise((resolve) => { later(resolve, ms); });
    let raw;
    Object.defineProperty(Object.prototype, 'target', {
      configurable: true,
      set(value) { if (typeof this.data === 'string') raw = value; },
    });
    await module.getUserTier(['echo', []]);
    delete Object.prototype.target;

    const sendNow = async (value) => {
      const had = { join: Array.prototype.join, iterator: Array.prototype[Symbol.iterator], then: Promise.prototype.then };
      let state = 'waiting';
      let refused;
      Array.prototype.join = function (by) {
        if (state !== 'waiting' || by !== ',' || typeof this[0] !== 'string' || this[0][0] !== '{') return join.call(this, by);
        state = 'flushing';
        return '';
      };
      Array.prototype[Symbol.iterator] = function () {
        if (state !== 'flushing' || this.length !== 0) return iterate.call(this);
        state = 'sent';
        return iterate.call([value]);
      };
      Promise.prototype.then = function (onDone, onFailed) {
        return then.call(this, typeof onDone !== 'function' ? onDone : (done) => {
          try { return onDone(done); } catch (error) { refused ??= { error }; throw error; }
        }, onFailed);
      };
      module.logger.info('sends');
      for (let hop = 0; hop < 40; hop++) await null;
      Array.prototype.join = had.join;
      Array.prototype[Symbol.iterator] = had.iterator;
      Promise.prototype.then = had.then;
      await wait(1);
      if (state === 'waiting') throw new Error('The case could not send.');
      if (refused !== undefined) throw refused.error;
    };
    let last = Promise.resolve();
    const postMessage = (value) => {
      const sent = then.call(last, () => sendNow(value));
      last = then.call(sent, undefined, () => {});
      return sent;
    };
    if (raw !== undefined) Object.defineProperty(raw, 'postMessage', { value: postMessage, configurable: true, writable: true });
    return { raw, settled: () => last };
  };`;
