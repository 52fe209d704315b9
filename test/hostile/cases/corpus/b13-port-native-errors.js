// desc: Native TypeErrors thrown by MessagePort methods called with bad receivers/arguments
// class: error
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  let o = p;
  const fns = new Set();
  while (o && o !== Object.prototype) {
    for (const k of Reflect.ownKeys(o)) {
      const d = Reflect.getOwnPropertyDescriptor(o, k);
      for (const f of [d.value, d.get, d.set]) if (typeof f === 'function') fns.add([String(k), f]);
    }
    o = Object.getPrototypeOf(o);
  }
  for (const [k, f] of fns) {
    if (/^close|^terminate/.test(k)) continue;
    for (const a of [
      [],
      [undefined],
      [1, 5],
      [1, [5]],
      [1, [p]],
      [1, { transfer: 5 }],
      [
        1,
        {
          get transfer() {
            throw new Error('g');
          },
        },
      ],
      [
        1,
        {
          transfer: {
            *[Symbol.iterator]() {
              yield p;
            },
          },
        },
      ],
      [Symbol()],
    ]) {
      await t.try(k, () => Reflect.apply(f, p, a));
      await t.try(k + '!', () => Reflect.apply(f, {}, a));
    }
    if (k === 'constructor') await t.try('new', () => new f());
  }
}
