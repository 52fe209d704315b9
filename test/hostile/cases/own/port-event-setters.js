// desc: Setters and getters on Object.prototype for the fields of Node's own MessageEvent hand out the port; what can be done with it without its prototype
// class: port
// flags: rawport
// fires: the port's natives, its constructor and the class of the event belong to the host
async (t) => {
  const heard = [];
  for (const name of ['data', 'target', 'type', 'ports', 'currentTarget', 'source', 'origin', 'lastEventId', 'onmessage', 'onmessageerror', 'onclose']) {
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      get() { return undefined; },
      set(value) { heard.push(this, value); Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true }); },
    });
  }
  try {
    await Promise.race([t.api.rpc('echo', { a: 1 }), t.wait(200)]);
    await t.wait(2);
  } catch (error) { heard.push(error); }
  for (const name of ['data', 'target', 'type', 'ports', 'currentTarget', 'source', 'origin', 'lastEventId', 'onmessage', 'onmessageerror', 'onclose']) delete Object.prototype[name];
  for (const value of heard.slice(0, 60)) t.probe(value, 'heard', 60);
  const ports = heard.filter((value) => t.isObj(value) && 'onmessage' in value);
  if (t.raw) ports.push(t.raw);
  for (const port of ports.slice(0, 3)) {
    await t.try('inherit', () => Object.create(port).postMessage);
    await t.try('class', () => Object.getPrototypeOf(port)?.constructor);
    // Nothing native takes it for one of its own.
    const classes = ['Headers', 'Response', 'URL', 'ReadableStream', 'AbortController', 'Event'].map((name) => globalThis[name]).filter(Boolean);
    for (const Class of [Map, Set, WeakMap, Promise, Date, RegExp, ArrayBuffer, DataView, Uint8Array, Error, String, Number, Iterator, DisposableStack, Intl.NumberFormat, ...classes]) {
      for (const key of Reflect.ownKeys(Class.prototype)) {
        const found = Reflect.getOwnPropertyDescriptor(Class.prototype, key);
        for (const method of [found.value, found.get]) {
          if (typeof method !== 'function' || method === Class) continue;
          try { t.probe(Reflect.apply(method, port, []), Class.name + String(key), 20); } catch (error) { t.probe(error, Class.name + String(key) + '!', 20); }
        }
      }
    }
  }
}
