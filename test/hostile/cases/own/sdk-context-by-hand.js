// desc: Makes an EndpointContext of our own with a host of our own, calls its inner steps (cancel, finish) by hand, reads its fields with wrong receivers
// class: sdk
// flags:
// fires: the context's class and its request are the host's
async (t) => {
  const { context } = t;
  t.probe(context, 'context', 600);
  const Context = context.constructor;
  const asked = [];
  const mine = new Set();
  const keep = (proxy) => { mine.add(proxy); return proxy; };
  const spy = (name) => keep(new Proxy(function () {}, { get(_target, key, receiver) { asked.push(receiver); if (key === Symbol.toPrimitive) return () => 'http://a.test/'; return key === 'then' ? undefined : spy(name + String(key)); }, apply(_target, self, args) { asked.push(self, ...args); return spy(name + '()'); }, has: () => true }));
  const made = await t.try('new', () => new Context({ method: 'POST', url: 'http://a.test/', headers: [['content-type', 'application/json']], invocation: 1 }, { kind: 'stream', stream: 1 }, spy('host')));
  if (t.isObj(made)) for (const name of ['request', 'body', 'signal', 'json', 'cancel', 'finish', 'params']) await t.try(name, () => (typeof made[name] === 'function' ? made[name]({}) : made[name]));
  await t.try('all spies', () => new Context(spy('request'), spy('body'), spy('host')).request);
  for (let level = context; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) {
      const found = Reflect.getOwnPropertyDescriptor(level, key);
      for (const method of [found.value, found.get]) {
        if (typeof method !== 'function') continue;
        for (const self of [undefined, {}, t.sdk, Object.create(context), new Proxy(context, {})]) await t.try(String(key), () => Reflect.apply(method, self, [{}]));
      }
    }
  }
  await t.try('json', () => context.json(t.module.config, 299, { 'x-a': 'b' }));
  await t.try('cancel', () => context.cancel());
  await t.try('signal', () => context.signal.reason);
  await t.try('finish', () => context.finish());
  await t.try('request', () => context.request.clone());
  for (const value of asked.slice(0, 120)) if (!mine.has(value)) t.probe(value, 'asked', 30);
}
