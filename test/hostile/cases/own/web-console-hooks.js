// desc: console.* formats values whose hooks, traps, getters and error fields run while it does: who calls them, with what
// class: web
// flags:
// fires: Node's console calls nodejs.util.inspect.custom with its own inspect
async (t) => {
  const seen = [];
  const custom = { [Symbol.for('nodejs.util.inspect.custom')](...args) { seen.push(this, ...args); return t.module; }, [Symbol.toPrimitive](hint) { seen.push(hint); return 'x'; }, get getter() { seen.push(this); return 1; }, toJSON() { seen.push(this); return {}; } };
  const handler = {};
  for (const name of Reflect.ownKeys(Reflect)) if (typeof name === 'string') handler[name] = (...args) => { if (seen.length < 300) for (let index = 1; index < args.length; index++) seen.push(args[index]); return Reflect[name](...args); };
  const proxies = [new Proxy({ a: 1 }, handler), new Proxy(function () {}, handler), new Proxy([1], handler), new Proxy(new Map([[1, 2]]), handler), new Proxy(new Error('x'), handler)];
  const error = Object.assign(new Error('x', { cause: custom }), { errors: [custom] });
  Object.defineProperty(error, 'stack', { get() { seen.push(this); return { toString: () => t.sdk }; } });
  class Named extends Map { static get name() { seen.push(this); return {}; } get [Symbol.toStringTag]() { seen.push(this); return 'X'; } *[Symbol.iterator]() { yield [custom, custom]; } }
  const calls = globalThis.console ?? {};
  t.probe(calls, 'console', 300);
  for (const method of Reflect.ownKeys(calls)) {
    if (typeof calls[method] !== 'function' || method === 'clear') continue;
    for (const args of [[custom], ['%s %d %i %f %j %o %O %c %%', custom, custom, custom, custom, custom, custom, custom, custom], proxies, [error], [new Named()], [[custom, proxies[0]], ['a']], [Symbol('x'), custom], ['%s', Symbol('x')], ['%d', 1n], [{ __proto__: null, constructor: custom }]]) await t.try(String(method), () => calls[method](...args));
  }
  await t.try('echo', () => t.api.rpc('echo', custom));
  for (const value of seen.slice(0, 200)) if (!proxies.includes(value)) t.probe(value, 'seen', 30);
}
