// desc: Atomics.waitAsync promise realm; Atomics.wait blocking availability
// class: async
// flags:
async (t) => {
  if (typeof SharedArrayBuffer === 'undefined' || typeof Atomics === 'undefined') return;
  const ia = new Int32Array(new SharedArrayBuffer(8));
  if (Atomics.waitAsync) {
    const w = Atomics.waitAsync(ia, 0, 0, 5);
    t.probe(w, 'w');
    t.probe(w.value, 'wv');
    try {
      t.probe(await w.value, 'r');
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  try {
    Atomics.wait(ia, 0, 0, 1);
    t.lvl(1, 'Atomics.wait available (high-res timer / sync block)');
  } catch (e) {
    t.probe(e, 'e');
  }
}
