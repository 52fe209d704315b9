// desc: Symbol.species / constructor getter on RPC promises
// class: async
// flags:
async (t) => {
  for (const mk of [() => t.api.rpc('echo', 1), () => t.api.rpc('failAsync'), async () => 1]) {
    const p = mk();
    try {
      p.catch && p.catch(() => {});
    } catch {}
    let n = 0;
    const Fake = function (ex) {
      n++;
      ex(
        (v) => t.probe(v, 'v'),
        (e) => t.probe(e, 'e'),
      );
      t.probe(ex, 'executor');
    };
    try {
      Object.defineProperty(p, 'constructor', { value: { [Symbol.species]: Fake } });
    } catch {}
    try {
      p.then(
        (v) => t.probe(v, 'tv'),
        (e) => t.probe(e, 'te'),
      );
    } catch (e) {
      t.probe(e, 'x');
    }
    await t.wait(20);
  }
}
