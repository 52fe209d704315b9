// desc: Hidden intrinsics: async/generator/iterator/typed-array constructors
// class: realm
// flags:
async (t) => {
  for (const f of [
    async function () {},
    function* () {},
    async function* () {},
    () => {},
    class {},
  ]) {
    t.tryCtor(f.constructor, 'hid');
    t.probe(Object.getPrototypeOf(f), 'p');
  }
  t.probe(Object.getPrototypeOf(Uint8Array), 'TA');
  for (const it of [
    [][Symbol.iterator](),
    new Map().entries(),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
  ])
    t.probe(it, 'it');
}
