// desc: Transfer list iterables/getters/proxies: realm of objects handed to hooks
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  for (const o of [
    {
      get transfer() {
        t.probe(this, 'this');
        return [];
      },
    },
    {
      transfer: {
        [Symbol.iterator]() {
          t.probe(arguments, 'a');
          return {
            next() {
              t.probe(arguments, 'b');
              return { done: true };
            },
            return() {
              t.probe(arguments, 'c');
            },
          };
        },
      },
    },
    new Proxy(
      {},
      {
        get(x, k, r) {
          t.probe(r === x ? 0 : null, 'r');
          return undefined;
        },
      },
    ),
    {
      [Symbol.iterator]: function* () {
        yield new ArrayBuffer(8);
      },
    },
  ])
    await t.try('tl', () => p.postMessage('x', o));
  const ab = new ArrayBuffer(8);
  await t.try('ab', () => p.postMessage(ab, [ab]));
  t.probe(ab, 'det');
}
