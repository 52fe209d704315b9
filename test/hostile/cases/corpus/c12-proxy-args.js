// desc: Proxies with traps as RPC arguments/method names
// class: async
// flags:
async (t) => {
  const h = {};
  let depth = 0;
  for (const n of Object.getOwnPropertyNames(Reflect))
    if (typeof Reflect[n] === 'function')
      h[n] = function (...a) {
        if (depth++ < 200)
          for (const x of a.slice(1)) if (x !== p && x !== pf && x !== pa) t.probe(x, n, 30);
        return Reflect[n](...a);
      };
  const p = new Proxy({ a: 1 }, h),
    pf = new Proxy(function () {}, h),
    pa = new Proxy([1], h);
  for (const x of [p, pf, pa]) {
    await t.try('rpc', () => t.api.rpc('echo', x));
    await t.try('m', () => t.api.rpc(x));
  }
}
