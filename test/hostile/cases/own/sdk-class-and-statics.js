// desc: BaseModule itself: statics, brands, accessors of the instance, every function's constructor chain, new.target as a proxy
// class: sdk
// flags:
// fires: a class of the host leads to the host's Function
async (t) => {
  t.probe(t.sdk, 'sdk', 1500);
  t.probe(t.module, 'module', 1500);
  const { BaseModule } = t.sdk;
  t.tryCtor(BaseModule.constructor, 'BaseModule.constructor');
  for (const key of Reflect.ownKeys(BaseModule)) t.probe(Reflect.getOwnPropertyDescriptor(BaseModule, key), String(key));
  const seen = [];
  const spy = new Proxy(BaseModule, {
    get(target, key, receiver) { seen.push(receiver, key); return Reflect.get(target, key, receiver); },
    has(target, key) { seen.push(key); return Reflect.has(target, key); },
    getPrototypeOf(target) { return Reflect.getPrototypeOf(target); },
    getOwnPropertyDescriptor(target, key) { const found = Reflect.getOwnPropertyDescriptor(target, key); seen.push(found); return found; },
  });
  await t.try('construct', () => Reflect.construct(BaseModule, [], spy));
  await t.try('new proxy', () => new spy());
  await t.try('extend proxy', () => new (class extends spy { field = seen.push(this); })());
  await t.try('again', () => new t.module.constructor());
  await t.try('apply', () => Reflect.apply(BaseModule, t.module, []));
  for (const value of seen.slice(0, 100)) t.probe(value, 'seen', 60);
}
