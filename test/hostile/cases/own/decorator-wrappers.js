// desc: What cacheResult and retry make of a method, called on strangers, with arguments that watch how they are compared, and with waits that are none
// class: decorator
// flags:
// fires: the wrapped function, its promise and its executor are the host's
async (t) => {
  const { cacheResult, retry } = t.sdk;
  const seen = [];
  const before = globalThis.Promise;
  const context = { kind: 'method', name: { toString() { seen.push(this); return 'run'; } }, metadata: {} };
  const watching = new Proxy({ a: 1 }, { get(target, key) { seen.push(key); return Reflect.get(target, key); }, has(target, key) { seen.push(key); return key !== 'toJSON'; }, getPrototypeOf() { return null; }, ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });
  for (const options of [{ ttl: 1 }, { ttl: { valueOf: () => 1 }, get max() { seen.push(this); return -1; } }, { ttl: NaN }, undefined]) {
    const cached = await t.try('cacheResult', () => cacheResult(options)(function (...args) { seen.push(this, ...args); return { then(done) { seen.push(done); } }; }, context));
    if (typeof cached !== 'function') continue;
    for (const self of [{}, t.module, undefined, 1, new Proxy({}, {})]) for (const args of [[], [watching], [{ toJSON(key) { seen.push(this, key); return key; } }], [() => {}], [Symbol('x')], [[1n]]]) { try { t.probe(Reflect.apply(cached, self, args), 'cached', 30); } catch (error) { t.probe(error, 'cached!', 30); } }
  }
  globalThis.Promise = class extends before { constructor(executor) { super((done, fail) => { seen.push(executor); executor((value) => { seen.push(value); done(value); }, fail); }); } };
  try {
    for (const options of [{ attempts: 3, wait: { initial: 1, jitter: { valueOf: () => 0 } }, when(...args) { seen.push(this, ...args); return true; } }, { attempts: 2, wait: { get initial() { seen.push(this); return 1; }, get max() { return { valueOf: () => 1 }; } } }, { attempts: 2, wait: -1, when: () => ({}) }, { attempts: { valueOf: () => 2 } }]) {
      let tries = 0;
      const wrapped = await t.try('retry', () => retry(options)(async function () { seen.push(this, arguments); if (tries++ < 1) throw { status: 500, [Symbol.for('plexichat.http-error')]: true, get cause() { return t.context; } }; return t.module; }, context));
      if (typeof wrapped === 'function') await before.race([t.try('run', () => Reflect.apply(wrapped, t.module, [1])), t.wait(50)]);
    }
  } finally { globalThis.Promise = before; }
  for (const value of seen.slice(0, 200)) if (value !== watching) t.probe(value, 'seen', 20);
}
