// desc: The accessors of web globals that load on first touch, called on strangers and while everything that they load with is ours: the loader's modules, exports and require
// class: web
// flags:
// fires: what a host loads behind its globals is the host's
async (t) => {
  const accessors = [];
  for (const name of Reflect.ownKeys(globalThis)) { const found = Reflect.getOwnPropertyDescriptor(globalThis, name); if (found.get) accessors.push([name, found]); }
  const caught = [];
  const undo = [];
  for (const [owner, keys] of [[Object, ['defineProperty', 'defineProperties', 'create', 'getOwnPropertyNames', 'getOwnPropertyDescriptor', 'assign', 'freeze', 'setPrototypeOf', 'getPrototypeOf', 'entries']], [Reflect, ['get', 'construct', 'ownKeys', 'defineProperty', 'apply']], [Function.prototype, ['call', 'apply', 'bind']], [Object.prototype, ['hasOwnProperty', 'toString', '__defineGetter__']]]) for (const key of keys) {
    const found = Reflect.getOwnPropertyDescriptor(owner, key);
    if (!found) continue;
    const { value } = found;
    const { apply, defineProperty } = Reflect;
    defineProperty(owner, key, { ...found, value: function (...args) { if (caught.length < 500) { caught[caught.length] = this; for (let index = 0; index < args.length; index++) caught[caught.length] = args[index]; } return apply(value, this, args); } });
    undo[undo.length] = () => defineProperty(owner, key, found);
  }
  for (const name of ['exports', 'module', 'require', 'default', '__esModule']) Object.defineProperty(Object.prototype, name, { configurable: true, get() { caught[caught.length] = this; return undefined; }, set(value) { caught[caught.length] = this; caught[caught.length] = value; undo[0] && Reflect.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true }); } });
  const results = [];
  for (const [name, found] of accessors) {
    for (const self of [undefined, {}, t.sdk, globalThis]) { try { results[results.length] = found.get.call(self); } catch (error) { results[results.length] = error; } }
    try { results[results.length] = globalThis[name]; found.set?.call({}, t.context); results[results.length] = new globalThis[name]('http://a.test/'); } catch (error) { results[results.length] = error; }
  }
  for (const back of undo) back();
  for (const name of ['exports', 'module', 'require', 'default', '__esModule']) delete Object.prototype[name];
  for (const value of results) t.probe(value, 'loaded', 60);
  for (const value of caught) t.probe(value, 'caught', 20);
  await t.try('request', () => t.context.request);
}
