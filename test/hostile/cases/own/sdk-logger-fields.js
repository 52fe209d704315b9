// desc: Log lines that are objects: toString, toJSON, getters and traps tell who reads them, when, and on whose stack
// class: sdk
// flags:
// fires: the logger's functions, and what walks the fields, are the host's
async (t) => {
  const seen = [];
  const look = (self, args) => { seen.push(self, args); for (let f = look, steps = 0; steps < 6; steps++) { try { f = f.caller; } catch (error) { seen.push(error); break; } if (!f) break; seen.push(f); } };
  const hooks = { toString() { look(this, arguments); return 'text'; }, toJSON(key) { look(this, arguments); return { key, [Symbol.toPrimitive]: 1 }; }, get deep() { look(this, arguments); return hooks; }, [Symbol.toPrimitive](hint) { look(this, arguments); return hint; }, [Symbol.for('nodejs.util.inspect.custom')]() { look(this, arguments); return 'x'; } };
  const proxy = new Proxy(function () {}, { get(target, key, receiver) { look(receiver, arguments); return key === 'toJSON' ? undefined : Reflect.get(target, key); }, ownKeys(target) { look(target, arguments); return Reflect.ownKeys(target); }, getOwnPropertyDescriptor(target, key) { look(key, arguments); return Reflect.getOwnPropertyDescriptor(target, key); } });
  for (const level of ['debug', 'info', 'warn', 'error']) {
    for (const args of [[hooks, hooks], ['x', proxy], [proxy], ['x', { a: [hooks, proxy, 1n] }], [Symbol('x'), new Map([[hooks, hooks]])], ['\ud800\0', { __proto__: hooks, ['__proto__']: hooks }], []]) await t.try(level, () => t.module.logger[level](...args));
  }
  t.probe(t.module.logger, 'logger', 100);
  await t.wait(5);
  for (const value of seen.slice(0, 200)) t.probe(value, 'seen', 20);
}
