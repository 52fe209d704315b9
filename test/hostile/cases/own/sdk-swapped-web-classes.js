// desc: Replaces Request, Response, Headers, AbortController, URL and Promise by spies before the kernel makes the context's request, an answer and a fetch with them
// class: sdk
// flags:
// fires: the request was made of the host's classes
async (t) => {
  const names = ['Request', 'Response', 'Headers', 'AbortController', 'URL', 'TextEncoder', 'TextDecoder', 'ReadableStream', 'Promise', 'Error', 'TypeError', 'Map', 'Proxy', 'Uint8Array'];
  const before = {};
  const given = [];
  for (const name of names) {
    before[name] = Reflect.getOwnPropertyDescriptor(globalThis, name);
    const Real = globalThis[name];
    if (typeof Real !== 'function') continue;
    const Spy = new Proxy(Real, { construct(target, args, newTarget) { if (given.length < 200) given.push(...args, newTarget); return Reflect.construct(target, args, newTarget === Spy ? target : newTarget); }, apply(target, self, args) { given.push(self, ...args); return Reflect.apply(target, self, args); }, get(target, key, receiver) { const found = Reflect.get(target, key, receiver === Spy ? target : receiver); return typeof found === 'function' && key !== 'prototype' ? function (...args) { given.push(...args); return Reflect.apply(found, this === Spy ? target : this, args); } : found; } });
    try { Object.defineProperty(globalThis, name, { value: Spy, configurable: true, writable: true }); } catch {}
  }
  const results = [];
  try {
    results.push(t.context.request, t.context.signal, t.context.json({ a: 1 }));
    results.push(await t.module.http.fetch('https://example.com/', { method: 'POST', body: 'x' }).catch((error) => error));
    results.push(await t.api.rpc('echo', 1).catch((error) => error));
  } catch (error) { results.push(error); }
  for (const name of names) if (before[name]) try { Object.defineProperty(globalThis, name, before[name]); } catch {}
  for (const value of [...results, ...given.slice(0, 120)]) t.probe(value, 'given', 40);
}
