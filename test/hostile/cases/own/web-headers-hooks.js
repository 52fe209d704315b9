// desc: Headers made of proxies, iterators and subclasses of ours: what next, return, Symbol.toPrimitive and forEach are called with
// class: web
// flags:
// fires: the headers of a request are an object of the host, whose callbacks get host objects
async (t) => {
  const seen = [];
  const name = { [Symbol.toPrimitive](hint) { seen.push(this, hint, arguments); return 'x-a'; } };
  const pairs = { [Symbol.iterator]() { seen.push(this, arguments); let left = 3; return { next() { seen.push(this, arguments); return left-- > 0 ? { done: false, value: new Proxy([name, name], { get(target, key, receiver) { seen.push(key); return Reflect.get(target, key, target); } }) } : { done: true }; }, return() { seen.push(this, arguments); return {}; } }; } };
  const record = new Proxy({ a: 'b' }, { ownKeys() { return ['a', '__proto__', 'constructor']; }, getOwnPropertyDescriptor() { return { value: { toString: () => t.sdk, valueOf: () => 'x' }, enumerable: true, configurable: true }; }, get(target, key, receiver) { seen.push(receiver); return Reflect.get(target, key); } });
  const real = t.context.request.headers;
  const classes = [real.constructor, globalThis.Headers].filter((Class) => typeof Class === 'function');
  for (const Class of classes) {
    for (const init of [pairs, record, [['a', 'b', 'c']], [[1, Symbol('x')]], new Map([['a', name]]), real, new Proxy(real, {}), Object.create(real), 'text', { [Symbol.iterator]: 1 }]) {
      const made = await t.try('new', () => new Class(init));
      if (!t.isObj(made)) continue;
      for (const method of ['entries', 'keys', 'values', 'getSetCookie']) await t.try(method, () => [...made[method]()]);
      await t.try('forEach', () => made.forEach(function () { seen.push(this, ...arguments); seen.push(arguments.callee); made.delete('a'); made.append('b', 'c'); }, t.context));
      await t.try('append', () => made.append(name, name));
    }
    await t.try('subclass', () => new (class extends Class { append(...args) { seen.push(this, args); return super.append(...args); } get(...args) { seen.push(args); return super.get(...args); } })(pairs));
    for (const key of Reflect.ownKeys(Class.prototype)) { const found = Reflect.getOwnPropertyDescriptor(Class.prototype, key); for (const method of [found.value, found.get]) if (typeof method === 'function') await t.try(String(key), () => Reflect.apply(method, {}, [name, name])); }
  }
  for (const generator of [real.entries?.(), real.keys?.()]) if (generator) for (const step of ['throw', 'return', 'next']) await t.try(step, () => generator[step]?.(t.context));
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 20);
}
