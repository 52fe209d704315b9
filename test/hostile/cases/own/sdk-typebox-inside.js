// desc: Type and what it leaves in its schemas: hidden kinds, codecs, refinements, scripts; getters on the options that it copies
// class: sdk
// flags:
// fires: schemas and builders are objects of the host
async (t) => {
  const { Type } = t.sdk;
  if (!t.isObj(Type)) return;
  t.probe(Type, 'Type', 400);
  const seen = [];
  const spy = new Proxy({ minimum: 1, default: {} }, { get(target, key, receiver) { seen.push(receiver); return Reflect.get(target, key, receiver); }, ownKeys(target) { seen.push(this); return Reflect.ownKeys(target); }, getOwnPropertyDescriptor(target, key) { const found = Reflect.getOwnPropertyDescriptor(target, key); seen.push(found); return found; } });
  for (const name of Reflect.ownKeys(Type)) {
    if (typeof Type[name] !== 'function') continue;
    for (const args of [[spy], [{ a: spy }, spy], [[spy], spy], ['{ a: number }'], [t.sdk, t.module], [(value) => { seen.push(value); return true; }, spy], []]) {
      const made = await t.try(String(name), () => Type[name](...args));
      if (t.isObj(made)) for (const key of Reflect.ownKeys(made)) { const found = Reflect.getOwnPropertyDescriptor(made, key); t.probe(found.value, String(name) + String(key), 20); }
    }
  }
  for (const value of seen.slice(0, 80)) t.probe(value, 'seen', 20);
}
