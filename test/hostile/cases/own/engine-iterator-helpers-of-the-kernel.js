// desc: Iterator helpers, Iterator.from, concat and zip over the kernel's generators; generators ended, thrown into and entered again
// class: engine
// flags:
// fires: iterators, generators and their results are the host's
async (t) => {
  const kept = [];
  const headers = t.context.request.headers;
  const sources = [() => headers.entries(), () => headers.keys(), () => headers[Symbol.iterator](), () => Object.entries(t.module.config)[Symbol.iterator](), () => new (globalThis.FormData ?? Map)().entries(), () => new (globalThis.URLSearchParams ?? Map)().entries(), () => t.sdk.BaseModule[Symbol.iterator]?.()];
  const spy = function (...args) { kept.push(this, ...args); return args[0]; };
  for (const make of sources) {
    for (const use of [(it) => it.map(spy).toArray(), (it) => it.flatMap((value) => { kept.push(value); return { [Symbol.iterator]() { kept.push(this); return { next: () => ({ done: true }) }; } }; }).toArray(), (it) => it.filter(spy).take(2).drop(1).next(), (it) => it.reduce(spy, t.context), (it) => Iterator.from({ next: it.next, return: it.return }).next(), (it) => Iterator.from(it).constructor, (it) => Iterator.concat?.(it, [1]).toArray(), (it) => Iterator.zip?.([it, it]).toArray(), (it) => it.throw?.(t.context), (it) => it.return?.(t.sdk), (it) => it[Symbol.dispose]?.(), (it) => Object.getPrototypeOf(Object.getPrototypeOf(it)), (it) => { const { next } = it; return Reflect.apply(next, {}, []); }, (it) => Array.from(it, spy, t.module), (it) => { for (const value of it) { kept.push(value); it.return?.(); } }]) { const it = await t.try('source', make); if (t.isObj(it)) kept.push(await t.try('use', () => use(it))); }
  }
  const found = Reflect.getOwnPropertyDescriptor(Iterator.prototype, Symbol.toStringTag);
  await t.try('setter', () => found?.set?.call(headers, t.sdk));
  await t.try('constructor', () => { Iterator.prototype.constructor = t.context; });
  for (const value of kept.slice(0, 150)) t.probe(value, 'kept', 20);
}
