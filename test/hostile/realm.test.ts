/**
 * Modules that try to get out of their realm, or to take others down with them. They run as real modules in a real cell,
 * without the check of the bundle: what that check refuses has to hold here as well. The neighbour lives in the same cell.
 */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import vm from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { FORGE } from '../support/forge.ts';
import { HUNT, runNaively } from '../support/hunt.ts';
import { until } from '../support/until.ts';

let room: CellRoom;
let neighbour: Guest;
const guests: Guest[] = [];

beforeAll(async () => {
  room = await openCellRoom();
  neighbour = await room.boot('onhello() { return { hello: 1 }; }', { name: 'neighbour' });
});
afterAll(() => room.close());

/** Boots a hostile module into the neighbour's cell. */
async function attack(
  body: string,
  before = '',
  options: { memoryMb?: number; diagnostics?: boolean } = {},
): Promise<Guest> {
  const guest = await room.boot(body, { ...options, name: 'hostile', before: `${HUNT}\n${before}` });
  expect(guest.instance.cell).toBe(neighbour.instance.cell);
  guests.push(guest);
  return guest;
}

afterEach(async () => {
  expect(neighbour.instance.alive).toBe(true);
  expect(neighbour.violations).toEqual([]);
  expect(await neighbour.json('hello')).toEqual({ hello: 1 });
  for (const guest of guests.splice(0)) {
    guest.instance.terminate('terminated', 'the test is over');
    await guest.exit;
    expect(guest.failures).toEqual([]);
  }
});

/** Answers a call, or says with which code it ended. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: { code?: string }) => error.code);
}

describe('nothing of another realm', () => {
  it('is reachable from the sdk, the module, its context, its globals, and what its calls give', async () => {
    expect(runNaively('hunt({ host })')).toEqual(expect.arrayContaining(['power: host']));
    const guest = await attack(`
      async onhunt(context) {
        const refused = await this.http.fetch('https://example.com/').catch((error) => error);
        const timer = setTimeout(() => {}, 1e6);
        const roots = { sdk, Type: sdk.Type, module: this, context, request: context.request, signal: context.signal,
          globalThis, refused, pending: this.http.fetch('https://example.com/').catch(() => {}), timer, arguments,
          callee: (function () { return arguments; })(), async: async () => {}, generator: function* () {},
          asyncGenerator: async function* () {}, bytes: await new Response('x').bytes(), url: new URL('https://a/?b'),
          stream: new Response('x').body, template: ((strings) => strings)\`x\`, match: 'a'.match(/a/), intl: new Intl.NumberFormat() };
        return hunt(roots);
      }`);
    expect(await guest.json('hunt')).toEqual([]);
  });

  it('comes with an error of the engine or of the platform', async () => {
    const errors = `
      const errors = {};
      const tryIt = (name, run) => { try { run(); } catch (error) { errors[name] = error; } };
      tryIt('overflow', () => { const deep = () => deep(); deep(); });
      tryIt('range', () => new Array(-1));
      tryIt('json', () => JSON.parse('{'));
      tryIt('regexp', () => new RegExp('('));
      tryIt('proxy', () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); proxy.x; });
      tryIt('eval', () => eval('1'));
      tryIt('function', () => Function('return 1')());`;
    expect(runNaively(`${errors} hunt({ host, errors })`)).not.toEqual([]);
    const guest = await attack(`
      async onhunt() {
        ${errors}
        tryIt('atob', () => atob('%'));
        tryIt('url', () => new URL('x'));
        tryIt('clone', () => structuredClone(() => {}));
        tryIt('timer', () => setTimeout('code'));
        tryIt('header', () => new Headers([['a b', 'c']]));
        tryIt('status', () => new Response('', { status: 1 }));
        errors.aborted = AbortSignal.abort().reason;
        errors.json2 = await new Response('{').json().catch((error) => error);
        return { found: hunt(errors), names: Object.keys(errors).length, evalError: errors.eval instanceof EvalError };
      }`);
    expect(await guest.json('hunt')).toEqual({ found: [], names: 15, evalError: true });
  });

  it('comes out of Node’s formatter of stacks', async () => {
    const formatter = `
      const errors = {};
      const symbolName = new Error('x');
      symbolName.name = Symbol('name');
      try { errors.text = { stack: symbolName.stack }; } catch (error) { errors.symbol = error; }
      Error.prepareStackTrace = (error, sites) => { errors.sites = sites; return 'stack'; };
      try { errors.prepared = { stack: new Error('x').stack }; } catch (error) { errors.prepare = error; }
      let depth = 0;
      const near = () => { depth++; try { near(); } catch (error) { try { errors['full' + (depth % 8)] = { s: error.stack }; } catch (inner) { errors['inner' + (depth % 8)] = inner; } } };
      try { near(); } catch (error) { errors.near = error; }
      const target = {};
      try { Error.captureStackTrace(target); errors.captured = { stack: target.stack }; } catch (error) { errors.capture = error; }`;
    expect(String(runNaively(`${formatter} hunt(errors)`))).toContain('power: symbol');
    const guest = await attack(`onhunt() { ${formatter} return hunt(errors); }`);
    expect(await guest.json('hunt')).toEqual([]);
  });

  it('has any power left when diagnostics let some of it in: the outer realm is severed', async () => {
    const formatter = `
      const errors = {};
      const symbolName = new Error('x');
      symbolName.name = Symbol('name');
      try { errors.text = { stack: symbolName.stack }; } catch (error) { errors.symbol = error; }`;
    const guest = await attack(
      `onhunt() {
        ${formatter}
        const outer = errors.symbol;
        return { found: hunt(errors), isForeign: !(outer instanceof TypeError), evaluator: typeof outer.constructor.constructor };
      }`,
      '',
      { diagnostics: true },
    );
    const { found, ...rest } = await guest.json<{ found: string[] }>('hunt');
    expect(rest).toEqual({ isForeign: true, evaluator: 'undefined' });
    expect(found.filter((line) => line.startsWith('power'))).toEqual([]);
  });

  it('comes with import(), which the check of a bundle refuses and which is tried here all the same', async () => {
    const guest = await attack(`
      async onhunt() {
        const errors = {};
        for (const name of ['node:fs', 'fs', './thread.js', 'data:text/javascript,export default 1', 'file:///etc/passwd']) {
          try { errors[name] = await import(name); } catch (error) { errors[name] = error; }
        }
        const found = hunt(errors);
        return { power: found.filter((line) => line.startsWith('power')), loaded: Object.values(errors).filter((value) => !('message' in value)).length };
      }`);
    expect(await guest.json('hunt')).toEqual({ power: [], loaded: 0 });
  });

  it('is among the globals', async () => {
    const guest = await attack(
      `
      onglobals() {
        const names = ['process', 'require', 'module', 'global', 'Buffer', 'SharedArrayBuffer', 'Atomics', 'WebAssembly',
          'FinalizationRegistry', 'WeakRef', 'MessageChannel', 'MessagePort', 'Worker', 'gc', 'setImmediate', 'fetch', 'navigator'];
        return names.filter((name) => { try { return eval2(name); } catch { return name in globalThis; } });
      }`,
      'const eval2 = (name) => globalThis[name] !== undefined;',
    );
    expect(await guest.json('globals')).toEqual([]);
  });

  it('is handed to what a module throws, when Node or the kernel looks at it', async () => {
    // Inspecting calls a hook with a function of the realm that inspects.
    let leaked: unknown;
    const hostile = {
      [Symbol.for('nodejs.util.inspect.custom')]: (...args: unknown[]) => {
        leaked = args[2];
        return 'x';
      },
    };
    inspect(hostile);
    expect(leaked).toBe(inspect);

    const guest = await attack(
      `
      async onthrow() {
        setTimeout(() => { throw makeHostile('timer'); }, 1);
        queueMicrotask(() => { throw makeHostile('microtask'); });
        Promise.reject(makeHostile('rejection'));
        this.logger.info('fields', makeHostile('fields'));
        console.log(makeHostile('console'));
        await new Promise((resolve) => setTimeout(resolve, 30));
        return { found: hunt(caught) };
      }
      ondie() { throw makeHostile('handler'); }`,
      `const caught = {};
      const makeHostile = (place) => new Proxy(function () {}, {
        get(target, key, receiver) { caught[place + String(key)] = receiver; if (key === 'message') throw target; return (...args) => { caught[place + String(key) + 'args'] = args; throw target; }; },
        ownKeys() { throw new Error('no'); }, has(target, key) { return true; },
        apply(target, self, args) { caught[place + 'apply'] = args; return 1; } });`,
    );
    expect(await outcome(guest.json('die'))).toBe('MODULE_ERROR');
    expect(await guest.json('throw')).toEqual({ found: [] });
    expect(guest.instance.alive).toBe(true);
  });
});

describe('a module that tampers with its own prototypes', () => {
  const TAMPER: readonly (readonly [string, string])[] = [
    ['Array.prototype.map', `Array.prototype.map = () => { throw new Error('map'); };`],
    ['Array.prototype.push', `Array.prototype.push = function () { return 0; };`],
    ['Array iteration', `Array.prototype[Symbol.iterator] = function* () { yield null; };`],
    ['Promise.prototype.then', `Promise.prototype.then = function () { throw new Error('then'); };`],
    ['Function.prototype.apply', `Function.prototype.apply = Function.prototype.call = () => 'called';`],
    ['JSON.stringify', `JSON.stringify = () => '{"id":"forged","type":"RAW","value":1}';`],
    [
      'Object.prototype.then',
      `Object.defineProperty(Object.prototype, 'then', { get() { return (done) => done('thenned'); }, configurable: true });`,
    ],
    [
      'accessors on Object.prototype',
      `for (const key of ['id', 'path', 'type', 'stream', 'op', 'ok', 'status', 'value', 'argumentList', 'kind', 'text'])
      Object.defineProperty(Object.prototype, key, { get() { return 'got'; }, set() { throw new Error('set'); }, configurable: true });`,
    ],
    ['Map.prototype.get', `Map.prototype.get = Map.prototype.set = () => ({});`],
    ['Symbol.species', `Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species'); } });`],
    [
      'String.prototype',
      `for (const key of Object.getOwnPropertyNames(String.prototype)) { try { String.prototype[key] = () => { throw new Error(key); }; } catch {} }`,
    ],
  ];

  it.each(TAMPER)('%s: harms itself at most', async (_name, tamper) => {
    const guest = await attack(`ontamper() { ${tamper} return { done: 1 }; } onafter() { return { after: 1 }; }`);
    // Right or wrong answers, none, or an end: all are its own business. The host and the neighbour are checked after.
    await outcome(guest.json('tamper', 500));
    await outcome(guest.instance.alive ? guest.json('after', 500) : Promise.resolve());
    expect({}).not.toHaveProperty('id');
  });
});

describe('a module that forges frames of its own port', () => {
  it('is counted, and ended when it goes on', async () => {
    const guest = await attack(
      `
      async onforge() {
        await say(this, '{"id":"x","type":"GET","path":["constructor"]},{"id":"y","type":"HANDLER","name":"throw","value":1}');
        return { forged: forgedText === undefined };
      }
      async onflood() { for (let count = 0; count < 100; count++) await say(this, '{"id":"x","type":"CONSTRUCT","path":["http","constructor"]}'); }`,
      FORGE,
    );
    expect(await guest.json('forge')).toEqual({ forged: true });
    expect(guest.violations).toEqual([
      'a call of type "GET", allowed is APPLY',
      'a call of type "HANDLER", allowed is APPLY',
    ]);
    expect(await outcome(guest.json('flood'))).toBe('MODULE_CRASHED');
    expect(await guest.exit).toMatchObject({ reason: 'violations' });
  });

  it('answers only its own calls: ids of a neighbour’s are not its to guess, and its channel is not its to choose', async () => {
    const guest = await attack(
      `
      async onforge() {
        const ids = [];
        for (let count = 0; count < 15; count++) ids.push('{"id":"' + count + '-1-1-1","type":"RAW","value":{"ok":true,"status":200,"headers":[],"body":{"kind":"text","text":"forged"}}}');
        await say(this, join.call(ids, ','));
        return {};
      }`,
      FORGE,
    );
    const calls = Array.from({ length: 20 }, () => neighbour.json('hello'));
    await guest.json('forge');
    expect(await Promise.all(calls)).toEqual(calls.map(() => ({ hello: 1 })));
    expect(guest.violations.length).toBe(15);
  });

  it.each([
    [
      'more parts than a frame holds',
      `const parts = []; for (let count = 0; count < 2000; count++) parts[count] = new ArrayBuffer(1); await say(this, '', parts);`,
    ],
    [
      'more bytes than a frame holds',
      `const parts = []; for (let count = 0; count < 40; count++) parts[count] = new ArrayBuffer(1024 * 1024); await say(this, '', parts);`,
    ],
    ['a part that is too large', `await say(this, '', [new ArrayBuffer(20 * 1024 * 1024)]);`],
    ['a head that is too large', `await say(this, '"' + 'x'.repeat(20 * 1024 * 1024) + '"');`],
    ['a head that is too large in UTF-8', `await say(this, '"' + '\\uffff'.repeat(5 * 1024 * 1024) + '"');`],
  ])('sends %s: ends alone, and its cell lives', async (_name, code) => {
    const cell = neighbour.instance.cell.processId;
    const guest = await attack(`async onforge() { ${code} return {}; }`, FORGE, { memoryMb: 128 });
    expect(await outcome(guest.json('forge'))).toBe('MODULE_CRASHED');
    expect(await guest.exit).toMatchObject({ reason: 'flood' });
    expect(room.cells.processIds).toContain(cell);
  });

  it.each([
    ['what is neither text nor bytes', '{ toString: 1 }'],
    ['a typed array', 'new Uint8Array(4)'],
    ['a buffer that can grow', 'new ArrayBuffer(4, { maxByteLength: 2 ** 30 })'],
    ['nothing', 'undefined'],
  ])('sends %s: its own kernel refuses, and nothing arrives', async (_name, value) => {
    const guest = await attack(
      `async onforge() { await say(this, '', [${value}]); return heard.map(({ name }) => name); }`,
      FORGE,
    );
    expect(await guest.json('forge')).toEqual(['TypeError']);
    expect(guest.violations).toEqual([]);
  });

  it('gets no error of another realm from a port that refuses what it sends', async () => {
    const guest = await attack(
      `
      async onforge() {
        const values = [Symbol('x'), () => {}, new Proxy({}, {}), Promise.resolve(), new WeakMap(), { get x() { throw this; } }];
        for (const value of values) await say(this, '', [value]);
        return { heard: heard.length, found: hunt(heard) };
      }`,
      FORGE,
    );
    const { heard, found } = await guest.json<{ heard: number; found: string[] }>('forge');
    expect(heard).toBeGreaterThan(0);
    expect(found).toEqual([]);
  });

  it('opens a hundred thousand streams: is ended, and the host keeps none', async () => {
    const guest = await attack(
      `
      async onforge() {
        for (let batch = 0; batch < 100; batch++) {
          const messages = [];
          for (let stream = 1; stream <= 1000; stream++) messages[stream - 1] = '{"stream":' + (batch * 1000 + stream) + ',"op":"end"}';
          await say(this, join.call(messages, ','));
        }
        return {};
      }`,
      FORGE,
    );
    expect(await outcome(guest.json('forge'))).toBe('MODULE_CRASHED');
    expect(await guest.exit).toMatchObject({ reason: 'violations' });
    expect(guest.violations.length).toBe(21);
    expect(guest.instance.session.openStreams).toBe(0);
  });

  it('nests without end: is counted, and the host’s stack is not touched', async () => {
    const guest = await attack(
      `
      async onforge() { await say(this, '['.repeat(100000) + ']'.repeat(100000)); return {}; }`,
      FORGE,
    );
    expect(await outcome(guest.json('forge'))).toEqual({});
    expect(guest.violations).toEqual(['nests deeper than 64 levels']);
  });
});

describe('a hostile answer', () => {
  it.each([
    ['a thenable that resolves with itself', `const t = { then(done) { done(t); } }; return t;`, 'MODULE_TIMEOUT'],
    ['a thenable that never settles', `return { then() {} };`, 'MODULE_TIMEOUT'],
    ['a thenable that throws', `return { then() { throw new Error('x'); } };`, 'MODULE_ERROR'],
    [
      'a thenable that settles twice',
      `return { then(done, fail) { done({ first: 1 }); done({ second: 1 }); fail(1); } };`,
      { first: 1 },
    ],
    ['a then that throws when it is read', `return { get then() { throw new Error('x'); } };`, 'MODULE_ERROR'],
    [
      'a proxy that throws at everything',
      `return new Proxy({}, new Proxy({}, { get() { throw new Error('x'); } }));`,
      'MODULE_ERROR',
    ],
    [
      'a proxy that throws at toJSON',
      `return new Proxy({}, { get(_t, key) { if (key === 'toJSON') throw new Error('x'); } });`,
      'INVALID_MODULE_RESPONSE',
    ],
    ['a BigInt', `return { n: 1n };`, 'INVALID_MODULE_RESPONSE'],
    ['a function', `return () => {};`, 'INVALID_MODULE_RESPONSE'],
    ['a circle', `const o = {}; o.o = o; return o;`, 'INVALID_MODULE_RESPONSE'],
    [
      'a status that is none',
      `return { status: 99, headers: new Headers(), arrayBuffer() {} };`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'a status beyond numbers',
      `return { status: Infinity, headers: new Headers(), arrayBuffer() {} };`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'a switch of protocols',
      `return { status: 101, headers: new Headers(), arrayBuffer() {} };`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'headers that are no text',
      `return { status: 200, headers: { get() {}, *[Symbol.iterator]() { yield [1, {}]; } }, arrayBuffer() {}, body: null };`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'ten thousand headers',
      `const headers = new Headers(); for (let i = 0; i < 1e4; i++) headers.append('x-' + i, 'y'); return new Response('x', { headers });`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'a header without end',
      `return new Response('x', { headers: { 'x-module-a': 'y'.repeat(1e5) } });`,
      'INVALID_MODULE_RESPONSE',
    ],
    [
      'an error with a hostile status',
      `throw Object.assign(new sdk.HttpError(404, 'x'), { status: 200 });`,
      'INVALID_MODULE_RESPONSE',
    ],
  ] as const)('of %s ends as %j', async (_name, code, expected) => {
    const guest = await attack(`onanswer() { ${code} } onafter() { return { after: 1 }; }`);
    const got = await outcome(guest.json('answer', 700));
    expect(got).toEqual(expected);
    expect(guest.instance.session.openStreams).toBe(0);
    // One that never yields is ended a moment after its deadline; the others go on.
    const after = await outcome(guest.json('after'));
    expect(after).toSatisfy((result) =>
      result === 'MODULE_CRASHED' ? got === 'MODULE_TIMEOUT' : inspect(result) === '{ after: 1 }',
    );
  });

  it('that nests without end is text like any other', async () => {
    const guest = await attack(`onanswer() { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o; }`);
    expect(await outcome(guest.call('answer').then(({ status }) => status))).toSatisfy(
      (result) => result === 200 || result === 'INVALID_MODULE_RESPONSE',
    );
  });

  it('whose streamed body comes with headers that are refused leaves no stream behind', async () => {
    const guest = await attack(`
      onanswer() {
        const headers = new Headers();
        for (let i = 0; i < 100; i++) headers.append('x-' + i, 'y');
        let sent = false;
        const pull = (c) => { if (sent) return new Promise(() => {}); sent = true; c.enqueue(new Uint8Array(1000)); };
        return new Response(new ReadableStream({ pull }), { headers });
      }`);
    for (let count = 0; count < 300; count++) {
      expect(await outcome(guest.json('answer'))).toBe('INVALID_MODULE_RESPONSE');
    }
    expect(guest.instance.session.openStreams).toBe(0);
    expect(guest.violations).toEqual([]);
  });

  it('of fifty megabytes arrives, or is the end of its module alone', async () => {
    const guest = await attack(`onhuge() { return { text: 'x'.repeat(50 * 1024 * 1024) }; }`, '', { memoryMb: 256 });
    const got = await outcome(guest.json('huge'));
    expect(typeof got === 'string' ? got : (got as { text: string }).text.length).toSatisfy(
      (result) => result === 50 * 1024 * 1024 || result === 'MODULE_CRASHED',
    );
  });

  it('of many bodies at once is an honest one, and none of them is lost', async () => {
    const guest = await attack(
      `
      onmany() { return { text: 'ä'.repeat(250000) }; }
      onsmall() {
        let left = 40;
        return new Response(new ReadableStream({ pull(c) { if (left-- === 0) c.close(); else c.enqueue(new Uint8Array(1)); } }));
      }`,
      '',
      { memoryMb: 256 },
    );
    const texts = await Promise.all(Array.from({ length: 48 }, () => guest.json<{ text: string }>('many')));
    expect(texts.every(({ text }) => text.length === 250_000)).toBe(true);
    const bodies = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { body } = await guest.call('small');
        return body.kind === 'stream' ? (await new Response(body.stream).bytes()).byteLength : 0;
      }),
    );
    expect(bodies.every((length) => length === 40)).toBe(true);
    expect(guest.violations).toEqual([]);
  });
});

describe('a flood', () => {
  function cellMegabytes(): number {
    const status = readFileSync(`/proc/${neighbour.instance.cell.processId}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  async function mostMegabytesDuring(run: Promise<unknown>): Promise<number> {
    let most = 0;
    let over = false;
    void run.finally(() => {
      over = true;
    });
    await until(() => {
      most = Math.max(most, cellMegabytes());
      return over;
    });
    return most;
  }

  it.each([
    ['in one loop', `for (;;) clearTimeout(setTimeout(() => {}, 1e9));`],
    ['in a loop of jobs', `for (;;) { clearTimeout(setTimeout(() => {}, 1e9)); await null; }`],
    ['that are never cleared', `for (;;) { try { setTimeout(() => {}, 1e9); } catch {} await null; }`],
  ])('of timers %s ends the module, and its cell does not grow with it', async (_name, code) => {
    const guest = await attack(`async onflood() { ${code} }`, '', { memoryMb: 64 });
    const before = cellMegabytes();
    const most = await mostMegabytesDuring(outcome(guest.json('flood', 1_500)));
    expect(most - before).toBeLessThan(300);
    expect(['stuck', 'heap']).toContain((await guest.exit).reason);
  });

  it('of timers that stays in bounds is served to the last one', async () => {
    const guest = await attack(`
      async ontimers() {
        let fired = 0;
        for (let round = 0; round < 20; round++) {
          for (let count = 0; count < 5000; count++) clearTimeout(setTimeout(() => { fired = -1e9; }, 1));
        }
        await Promise.all(Array.from({ length: 9000 }, () => new Promise((resolve) => setTimeout(() => { fired += 1; resolve(); }, 1))));
        return { fired };
      }`);
    expect(await guest.json('timers')).toEqual({ fired: 9000 });
  });

  it('of log lines is cut to what an operator can read, and says how many are missing', async () => {
    const guest = await attack(`
      async onflood() {
        for (let count = 0; count < 100; count++) {
          for (let line = 0; line < 100; line++) this.logger.info('x'.repeat(200));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        await new Promise((resolve) => setTimeout(resolve, 1100));
        this.logger.info('quiet again');
        return {};
      }`);
    expect(await outcome(guest.json('flood'))).toEqual({});
    await until(() => guest.lines.some(({ message }) => message === 'quiet again'));
    expect(guest.lines.length).toBeLessThan(2_000);
    expect(guest.lines.some(({ message }) => /^\d+ log lines were dropped/.test(message))).toBe(true);
  });

  it('of log lines in a loop of jobs ends with the module, or with its deadline', async () => {
    const guest = await attack(`async onflood() { for (;;) { this.logger.info('x'.repeat(8000)); await null; } }`);
    const before = cellMegabytes();
    const most = await mostMegabytesDuring(outcome(guest.json('flood', 1_500)));
    expect(most - before).toBeLessThan(600);
    expect(['stuck', 'heap', 'flood', 'bytes']).toContain((await guest.exit).reason);
  });

  it('of rejected promises is one line in the log', async () => {
    const guest = await attack(`
      async onflood() { for (let count = 0; count < 20000; count++) Promise.reject(new Error('lost')); await new Promise((resolve) => setTimeout(resolve, 50)); return {}; }`);
    expect(await outcome(guest.json('flood'))).toEqual({});
    expect(guest.lines.filter(({ message }) => message.includes('A promise was rejected')).length).toBeLessThanOrEqual(
      2,
    );
  });

  it('of calls is refused with QUOTA_EXCEEDED, and the module may go on', async () => {
    const guest = await attack(`
      async onflood() {
        const codes = await Promise.all(Array.from({ length: 2000 }, () => this.http.fetch('https://example.com/').catch((error) => error.code)));
        return [...new Set(codes)].sort();
      }`);
    expect(await guest.json('flood')).toContain('QUOTA_EXCEEDED');
    expect(guest.instance.alive).toBe(true);
  });

  it('of jobs that never yields is ended, and the cell lives', async () => {
    const guest = await attack(`async onflood() { for (;;) await null; }`);
    expect(await outcome(guest.json('flood', 300))).toBe('MODULE_TIMEOUT');
    expect(await guest.exit).toMatchObject({ reason: 'stuck' });
  });
});

describe('honest mistakes', () => {
  it('in the fields of a log line cost that line’s fields and nothing else', async () => {
    const guest = await attack(`
      onlog() {
        const circle = {}; circle.circle = circle;
        let deep = {}; for (let level = 0; level < 200; level++) deep = { deep };
        this.logger.info('one', { circle }); this.logger.info('two', { deep }); this.logger.info('three', { n: 1n }); this.logger.info('four', { ok: 1 });
        return { ok: 1 };
      }`);
    expect(await guest.json('log')).toEqual({ ok: 1 });
    await until(() => guest.lines.length === 4);
    expect(guest.lines.map(({ message }) => message)).toEqual(['one', 'two', 'three', 'four']);
    expect(guest.lines[3]?.fields).toEqual({ ok: 1 });
    expect(guest.violations).toEqual([]);
  });

  it('in what a call is given are told to the author, and the other calls of the turn arrive', async () => {
    const guest = await attack(`
      async oncall() {
        const headers = { 'x-a': 'x'.repeat(3 * 1024 * 1024) };
        const large = this.http.fetch('https://example.com/', { headers }).catch((error) => error.name);
        const plain = this.http.fetch('https://example.com/').catch((error) => error.name);
        return [await large, await plain];
      }`);
    expect(await guest.json('call')).toEqual(['RangeError', 'EgressDeniedError']);
    expect(guest.violations).toEqual([]);
  });
});

it('a context of Node as people make it lets code out, which is why none of this is one', () => {
  const context = vm.createContext({ host: () => {} });
  expect(vm.runInContext(`host.constructor('return typeof process.kill')()`, context)).toBe('function');
});
