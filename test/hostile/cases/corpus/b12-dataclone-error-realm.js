// desc: DataCloneError realm from postMessage(function/symbol/proxy/WeakMap)
// class: error
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  for (const v of [
    () => {},
    Symbol(),
    new WeakMap(),
    new Proxy({}, {}),
    {
      get x() {
        throw { a: 1 };
      },
    },
    Promise.resolve(),
    new (class {
      #a;
    })(),
    { f() {} },
  ])
    await t.try('dc', () => p.postMessage(v));
}
