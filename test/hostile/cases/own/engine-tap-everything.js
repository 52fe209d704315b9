// desc: Every function of every intrinsic is replaced by one that keeps what it is called on, with, and what it answers, while the kernel does all that it can: is a native of the port, or anything foreign, among it?
// class: engine
// flags: rawport
// fires: a kernel that takes its natives and the host's objects through changed prototypes
async (t) => {
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const source = Function.prototype.toString;
  const later = t.wait;
  const { race } = Promise;
  const P = Promise;
  const caught = new Set();
  const { add, has } = Set.prototype;
  let kept = 0;
  const keep = (value) => { if (t.isObj(value) && kept++ < 50000) apply(add, caught, [value]); };
  const undo = [];
  const tapped = new Set([keep, add, has]);
  const tap = (owner, key) => {
    const found = getOwnPropertyDescriptor(owner, key);
    if (!found || !found.configurable || key === 'constructor') return;
    const wrap = (real) => { if (typeof real !== 'function' || apply(has, tapped, [real])) return real; const spy = function (...args) { keep(this); for (let index = 0; index < args.length; index++) keep(args[index]); const got = new.target ? construct(real, args, new.target === spy ? real : new.target) : apply(real, this, args); keep(got); return got; }; return spy; };
    try { defineProperty(owner, key, 'value' in found ? { value: wrap(found.value), writable: found.writable, enumerable: found.enumerable, configurable: true } : { get: found.get && wrap(found.get), set: found.set && wrap(found.set), enumerable: found.enumerable, configurable: true }); } catch { return; }
    undo[undo.length] = () => defineProperty(owner, key, found);
  };
  const owners = new Set();
  for (const name of ['Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Math', 'JSON', 'Reflect', 'Promise', 'Map', 'Set', 'WeakMap', 'WeakSet', 'RegExp', 'Date', 'Error', 'TypeError', 'ArrayBuffer', 'Uint8Array', 'Uint16Array', 'DataView', 'Iterator', 'Proxy']) {
    const value = globalThis[name];
    for (const owner of [value, value?.prototype, value?.prototype && getPrototypeOf(value.prototype), typeof value === 'function' && getPrototypeOf(value)]) if (t.isObj(owner)) owners.add(owner);
  }
  for (const iterator of [[][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g), (function* () {})(), (async function* () {})()]) for (let level = getPrototypeOf(iterator); level && level !== Object.prototype; level = getPrototypeOf(level)) owners.add(level);
  const work = [() => t.api.rpc('echo', { a: [1, 'b'] }), () => t.api.rpc('failAsync'), () => t.api.rpc('callMeBack', 1), () => t.module.http.fetch('https://example.com/', { method: 'POST', body: 'x', headers: { a: 'b' } }), () => t.context.request.headers, () => t.context.signal, () => t.context.json({ a: 1 }).body?.getReader().read(), () => t.module.logger.info('x', { a: 1 }), () => globalThis.setTimeout(() => {}, 1), () => globalThis.queueMicrotask?.(() => {}), () => globalThis.crypto?.randomUUID(), () => globalThis.structuredClone?.({ a: new Map([[1, 2]]) }), () => globalThis.console?.log('%o', { a: 1 }), () => globalThis.URL && new globalThis.URL('http://a.test/?b'), () => t.sdk.sanitizeInput('<b>x'), () => t.sdk.getUserTier(['echo', [1]]), () => new t.sdk.HttpError(404, 'x'), () => t.sdk.Type?.Object({})];
  t.api.handle('cb', () => { const { Response, ReadableStream } = globalThis; return Response && ReadableStream ? new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array([49])); controller.close(); } })) : 1; });
  const results = [];
  for (const owner of owners) for (const key of ownKeys(owner)) tap(owner, key);
  try {
    for (let index = 0; index < work.length; index++) { let got; try { got = work[index](); } catch (error) { got = error; } keep(got); results[results.length] = got; }
    for (let hop = 0; hop < 60; hop++) await null;
    await later(60);
  } catch (error) { keep(error); }
  for (let index = undo.length; index-- > 0; ) undo[index]();
  for (const result of results) { try { keep(await apply(race, P, [[result, later(20)]])); } catch (error) { keep(error); } }
  const natives = new Set(['postMessage', 'start', 'close', 'drain', 'ref', 'unref', 'hasRef', 'asyncReset', 'getAsyncId', 'getProviderType', 'emitMessage', 'moveMessagePortToContext', 'receiveMessageOnPort']);
  for (const value of caught) {
    if (t.foreign(value)) t.probe(value, 'caught', 20);
    let text = '';
    try { if (typeof value === 'function') text = source.call(value); } catch {}
    if (/\[native code\]/.test(text) && natives.has(value.name)) { t.lvl(2, 'a native of the port: ' + value.name); t.probe(value, value.name); }
  }
}
