// desc: The router and its records when the module runs already: forged records, strings that lie about themselves, an app whose fetch is a getter
// class: sdk
// flags:
// fires: the router's functions belong to the host, and it tells errors of the host
async (t) => {
  const { router } = t.module;
  const seen = [];
  const own = t.module[Symbol.for('plexichat.routes')]?.length;
  const lying = new Proxy(new String('/x'), { get(target, key) { seen.push(key); const found = Reflect.get(target, key, target); return typeof found === 'function' ? function (...args) { seen.push(args, this); return Reflect.apply(found, target, args); } : found; } });
  for (const name of ['get', 'post', 'delete', 'mount']) {
    for (const args of [[lying, () => {}], ['/a', {}, {}], ['/a', t.context, () => t.context], [Symbol('x')], ['/a', new Proxy({}, { get: (_target, key) => seen.push(key) }), function () { seen.push(this, ...arguments); }], ['/a', { get fetch() { seen.push(this); return (...given) => seen.push(given); } }], []]) {
      await t.try(name, () => router[name](...args));
      await t.try(name + '.call', () => router[name].call(t.module, ...args));
    }
  }
  const records = t.module[Symbol.for('plexichat.routes')];
  t.probe(records, 'records', 200);
  if (Array.isArray(records)) {
    for (const record of records.slice(own, own + 40)) await t.try('handler', () => record.handler(t.context));
    records.length = 0;
    records.push({ get route() { return t.sdk; }, options: null, handler: null });
  }
  for (const value of seen.slice(0, 100)) t.probe(value, 'seen', 30);
}
