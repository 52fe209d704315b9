// desc: Freezes, seals and empties everything that can be reached, the kernel's own objects too, then goes on: what breaks must break here
// class: engine
// flags:
// fires: the objects of the host that are reached on the way
async (t) => {
  const seen = new Set();
  const stack = [t.context, t.module.http, t.module.router, t.sdk.HttpError];
  while (stack.length > 0 && seen.size < 3000) {
    const value = stack.pop();
    if (!t.isObj(value) || seen.has(value) || value === globalThis) continue;
    seen.add(value);
    if (t.foreign(value)) { t.probe(value, 'foreign'); continue; }
    let keys = [];
    try { keys = Reflect.ownKeys(value); stack.push(Reflect.getPrototypeOf(value)); } catch {}
    for (const key of keys) { const found = Reflect.getOwnPropertyDescriptor(value, key); if (found) stack.push(found.value, found.get, found.set); }
    if (value !== Object.prototype && value !== Array.prototype && value !== Promise.prototype) try { Object.freeze(value); } catch {}
  }
  for (const run of [() => t.api.rpc('echo', { a: 1 }), () => t.context.request.headers, () => t.context.signal, () => t.module.http.fetch('https://example.com/'), () => setTimeout(() => {}, 1), () => t.module.logger.info('frozen', {}), () => t.context.json({ a: 1 }), () => new t.sdk.HttpError(404, 'x'), () => globalThis.structuredClone?.({ a: 1 }), () => globalThis.URL && new globalThis.URL('http://a.test/')]) await Promise.race([t.try('frozen', run), t.wait(40)]);
}
