// desc: new Function / indirect eval / AsyncFunction / GeneratorFunction reaching host globals
// class: node
// flags:
async (t) => {
  const ctors = [
    t.F,
    (async () => {}).constructor,
    function* () {}.constructor,
    async function* () {}.constructor,
  ];
  for (const C of ctors) t.tryCtor(C, 'ev');
  for (const s of ['process', 'require', 'this', 'globalThis.process', 'typeof module']) {
    try {
      const v = (0, eval)(s);
      if (t.isObj(v) && v !== globalThis) {
        t.authority(v, 'eval ' + s);
        t.probe(v, 'ev', 30);
      }
    } catch (e) {
      t.probe(e, 'e');
    }
  }
}
