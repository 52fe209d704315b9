// desc: Iterator.prototype / async-from-sync iterators / Iterator.from wrappers
// class: async
// flags:
async (t) => {
  if (typeof Iterator !== 'undefined') {
    t.probe(Iterator, 'Iterator');
    for (const f of [
      () =>
        Iterator.from({
          next() {
            return { done: true };
          },
        }),
      () => [1].values().map((x) => x),
      () => Object.getOwnPropertyDescriptor(Iterator.prototype, 'constructor'),
      () => {
        Iterator.prototype.constructor = 1;
      },
    ])
      await t.try('it', f);
  }
  async function* g() {
    yield* [
      {
        then(a, b) {
          t.probe(a, 'a');
          a(1);
        },
      },
    ];
  }
  for await (const x of g()) t.probe(x, 'x');
}
