// desc: Timers and microtasks with callbacks that are proxies, classes and thenables, delays that run code, ids that are none
// class: kernel
// flags:
// fires: the host's timers call with their own handle as this, and give it back
async (t) => {
  const seen = [];
  const trapped = new Proxy(function () { seen.push(this, ...arguments); return { get then() { seen.push(this); return (...args) => { seen.push(...args); args[1]?.(t.context); }; } }; }, { apply(target, self, args) { seen.push(self, args); return Reflect.apply(target, self, args); }, get(target, key) { seen.push(key); return Reflect.get(target, key); } });
  const handles = [];
  const delay = { valueOf() { seen.push(this); handles.push(setTimeout(trapped, 1)); return 1; }, [Symbol.toPrimitive]: undefined };
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'clearTimeout', 'clearInterval', 'requestIdleCallback']) {
    const schedule = globalThis[name];
    if (typeof schedule !== 'function') continue;
    for (const args of [[trapped, delay, t.sdk], [class { constructor() { seen.push(this, new.target); } }, 1], [async function () { seen.push(this); throw t.context; }, -1], [trapped, NaN], [trapped, 2 ** 53], [trapped, Symbol('x')], [{ handleEvent: trapped }], [], [trapped.bind(t.module), '1'], [handles[0]], [{ [Symbol.toPrimitive]: () => handles[0] }], [-1], [NaN], ['1; return this']]) { const handle = await t.try(name, () => schedule(...args)); handles.push(handle); await t.try(name + '.call', () => schedule.call(t.context, ...args)); }
  }
  await t.wait(20);
  for (const handle of handles) for (const name of ['clearInterval', 'clearTimeout']) await t.try(name, () => globalThis[name]?.(handle));
  for (const value of [...handles, ...seen.slice(0, 150)]) if (value !== trapped) t.probe(value, 'timer', 30);
}
