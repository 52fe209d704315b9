// desc: Data for a task that changes while it is looked at: toJSON that answers something else each time, getters, proxies, prototypes under JSON's names
// class: sdk
// flags:
// fires: the client and its promises are the host's
async (t) => {
  let turn = 0;
  const seen = [];
  const moody = { toJSON(key) { seen.push(key, this); return turn++ % 2 ? { __proto__: null, a: 1 } : [moody.other]; }, get other() { return { get b() { seen.push(this); return t.context.params; } }; } };
  const shape = new Proxy([], { get(target, key) { seen.push(key); return key === 'length' ? (turn++ % 3) * 5 : target[key]; } });
  for (const data of [moody, shape, { a: moody, ['__proto__']: { polluted: 1 } }, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'), new Map([[1, 2]]), [undefined, NaN, () => {}], new (class { #x = 1; toJSON() { return this.#x; } })(), JSON.rawJSON ? JSON.rawJSON('1e999') : 1, Object(1n)]) {
    const options = new Proxy({}, { ownKeys: () => ['delay'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) });
    await Promise.race([t.try('enqueue', () => t.module.tasks.enqueue('task', data, options)), t.wait(30)]);
    await Promise.race([t.try('options', () => t.module.tasks.enqueue('task', data, { delay: { valueOf: () => 1 } })), t.wait(30)]);
  }
  await t.try('name', () => t.module.tasks.enqueue({ toString: () => 'task', [Symbol.match]: true }));
  t.probe(t.module.tasks, 'tasks');
  for (const value of seen.slice(0, 60)) t.probe(value, 'seen', 20);
  if ({}.polluted) t.lvl(2, 'polluted');
}
