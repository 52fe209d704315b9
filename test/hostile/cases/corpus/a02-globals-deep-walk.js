// desc: BFS over every own property (and accessor) of the global object
// class: realm
// flags:
async (t) => {
  t.probe(globalThis, 'globalThis', 3000);
  for (const k of Reflect.ownKeys(globalThis)) {
    const d = Reflect.getOwnPropertyDescriptor(globalThis, k);
    t.probe(d.value, String(k));
    t.probe(d.get, String(k) + '#get');
    if (d.get) await t.try(String(k), () => globalThis[k]);
  }
}
