// desc: The sdk's decorators called by hand with contexts that are proxies: what they put into the metadata passes through our traps
// class: decorator
// flags:
// fires: keys, descriptors and records are made in the host's realm
async (t) => {
  const { moduleEndpoint, moduleTask, moduleEvent, modulePage } = t.sdk;
  const seen = [];
  const handler = {};
  for (const name of Reflect.ownKeys(Reflect)) if (typeof name === 'string') handler[name] = (...args) => { for (let index = 1; index < args.length; index++) seen.push(args[index]); return Reflect[name](...args); };
  const list = new Proxy([], { ...handler, get(target, key) { if (key === 'push') return (...args) => { seen.push(...args); return 1; }; return Reflect.get(target, key); } });
  const decorators = [moduleEndpoint?.('GET /x', new Proxy({ rateLimit: 1 }, handler)), moduleEndpoint?.({ toString: () => 'GET /y' }), moduleTask?.(new Proxy({}, handler)), moduleEvent?.(Symbol('x')), modulePage?.({}, null)];
  for (const decorate of decorators) {
    t.probe(decorate, 'decorator');
    if (typeof decorate !== 'function') continue;
    for (const kind of ['method', 'class', 'field', 'accessor', 'getter', { toString: () => 'method' }]) {
      for (const name of ['run', Symbol('x'), '__proto__', { toString() { seen.push(this); return 'run'; } }]) {
        for (const metadata of [{}, new Proxy({}, handler), { [Symbol.for('plexichat.records')]: list }, undefined, Object.freeze({}), t.sdk.BaseModule]) {
          const context = { kind, name, static: false, private: false, metadata, addInitializer(...args) { seen.push(...args); }, get access() { seen.push(this); return { has: () => true, get: () => t.context, set() {} }; } };
          try { t.probe(decorate(function () {}, context), 'decorated', 30); } catch (error) { t.probe(error, 'decorated!', 30); }
        }
      }
    }
    try { decorate(new Proxy(() => {}, handler), new Proxy({ kind: 'method', name: 'run', metadata: {} }, handler)); } catch (error) { t.probe(error, 'proxy', 30); }
  }
  for (const value of seen.slice(0, 200)) t.probe(value, 'seen', 20);
}
