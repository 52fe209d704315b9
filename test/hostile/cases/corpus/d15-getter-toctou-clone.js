// desc: Getters/valueOf with side effects during structured clone on the raw port
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  let n = 0;
  const o = {
    get m() {
      n++;
      return n % 2 ? 'echo' : 'evil';
    },
    get a() {
      t.probe(this, 'this');
      const b = [];
      b.length = 1;
      return b;
    },
    id: 3,
  };
  await t.try('o', () => p.postMessage(o));
  const arr = [1, 2];
  Object.defineProperty(arr, 0, {
    get() {
      arr.length = 0;
      return 1;
    },
  });
  await t.try('arr', () => p.postMessage(arr));
  const ab = new ArrayBuffer(16, { maxByteLength: 64 });
  await t.try('rab', () =>
    p.postMessage({
      v: new Uint8Array(ab),
      get z() {
        ab.resize(0);
        return 1;
      },
    }),
  );
  t.probe(await t.api.rpc('echo', 'alive'), 'al');
}
