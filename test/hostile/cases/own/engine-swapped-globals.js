// desc: Takes the kernel's globals away one by one, or puts proxies in their place, while it works: whose errors come out?
// class: engine
// flags:
// fires: the errors of the host when its world breaks
async (t) => {
  const names = ['Promise', 'Map', 'WeakMap', 'Set', 'Error', 'TypeError', 'RangeError', 'Object', 'Array', 'JSON', 'Reflect', 'Proxy', 'Symbol', 'String', 'Number', 'Math', 'Uint8Array', 'ArrayBuffer', 'RegExp', 'Date', 'Headers', 'Response', 'Request', 'AbortController', 'URL', 'TextEncoder', 'queueMicrotask', 'setTimeout'];
  const { defineProperty, getOwnPropertyDescriptor, deleteProperty } = Reflect;
  const results = [];
  const pass = t.wait;
  for (const name of names) {
    const found = getOwnPropertyDescriptor(globalThis, name);
    if (!found?.configurable) continue;
    for (const value of [undefined, null, t.context, () => { throw t.sdk; }]) {
      const got = [];
      try {
        defineProperty(globalThis, name, { value, configurable: true, writable: true });
        for (const run of [() => t.api.rpc('echo', 1), () => t.context.json({ a: 1 }), () => new t.sdk.HttpError(404, 'x'), () => t.module.logger.info('x'), () => t.module.http.fetch('https://example.com/'), () => t.sdk.sanitizeInput('<b>'), () => t.sdk.retry({ attempts: 0 })]) { try { got[got.length] = run(); } catch (error) { got[got.length] = error; } }
      } finally { defineProperty(globalThis, name, found); }
      for (const one of got) { try { one?.then?.((done) => { results[results.length] = done; }, (error) => { results[results.length] = error; }); } catch (error) { results[results.length] = error; } results[results.length] = one; }
    }
    if (name === 'self') deleteProperty(globalThis, name);
  }
  await pass(50);
  for (const value of results.slice(0, 600)) t.probe(value, 'swapped', 15);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
