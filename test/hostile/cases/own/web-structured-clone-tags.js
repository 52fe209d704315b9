// desc: structuredClone of values that lie about their tag, their length, their iterator and their buffer, so that the clone is made by a global of our choice
// class: web
// flags:
// fires: the host's structuredClone gives objects and DataCloneErrors of its realm
async (t) => {
  const clone = globalThis.structuredClone;
  const seen = [];
  t.probe(clone, 'structuredClone');
  await t.try('echo', () => t.api.rpc('echo', { a: 1 }));
  if (typeof clone !== 'function') return;
  const tag = (value, name) => Object.defineProperty(value, Symbol.toStringTag, { value: name });
  for (const name of ['Function', 'Proxy', 'Promise', 'eval', 'Symbol', '__proto__', 'constructor', 'Uint8Array', 'Error']) {
    await t.try(name, () => clone(tag(new Uint8Array(4), name)));
    await t.try(name, () => clone(tag(new DataView(new ArrayBuffer(4)), name)));
  }
  class Moody extends Map { [Symbol.iterator]() { seen.push(this); return [[t.context, t.sdk], new Proxy([], {})][Symbol.iterator](); } get size() { return t.module; } }
  class Odd extends Error { get name() { seen.push(this); return 'TypeError'; } get message() { return { toString: () => { throw seen; } }; } }
  const length = Object.defineProperty(new Float64Array(2), 'length', { get() { seen.push(this); return 1e9; } });
  const grown = new ArrayBuffer(8, { maxByteLength: 64 });
  for (const value of [new Moody(), new Odd(), length, grown, new Uint8Array(grown), Object.defineProperty([1, 2], 'length', { value: 4e9 }), { get a() { grown.resize(0); return new Uint8Array(grown); } }, new Proxy([], {}), Object(Symbol('x')), Object(1n), () => {}, new WeakMap(), Promise.resolve(), { __proto__: null, ['__proto__']: { polluted: 1 } }, JSON.parse('{"__proto__":{"polluted":1}}'), Object.create({ get inherited() { seen.push(this); return 1; } })]) {
    for (const options of [undefined, { transfer: [grown] }, { get transfer() { seen.push(this); return { *[Symbol.iterator]() { yield new ArrayBuffer(1); yield grown; } }; } }, { transfer: [t.context] }]) await t.try('clone', () => clone(value, options));
  }
  if ({}.polluted) t.lvl(2, 'polluted');
  for (const value of seen.slice(0, 60)) t.probe(value, 'seen', 20);
}
