// desc: Uncaught/rejected Proxy whose traps receive host-realm descriptors or argument arrays
// class: error
// flags: crash
async (t) => {
  const seen = (n) =>
    function () {
      for (const a of arguments) if (a !== tgt) t.probe(a, n, 40);
      t.api.rpc('note', t.result());
      return Reflect[n].apply(Reflect, arguments);
    };
  const tgt = function () {};
  const h = {};
  for (const n of [
    'get',
    'has',
    'ownKeys',
    'getOwnPropertyDescriptor',
    'defineProperty',
    'getPrototypeOf',
    'set',
    'apply',
    'isExtensible',
    'preventExtensions',
    'deleteProperty',
  ])
    h[n] = seen(n);
  const p = new Proxy(tgt, h);
  Promise.reject(p);
  setTimeout(() => {
    throw p;
  }, 1);
  await t.wait(60);
}
