// desc: %Natives syntax / d8 helpers / gc() via evaluators
// class: node
// flags:
async (t) => {
  for (const s of [
    '%DebugPrint(1)',
    '%GetOptimizationStatus(()=>1)',
    'gc()',
    'd8',
    'internalBinding',
    'primordials',
    'process.binding',
  ]) {
    try {
      const v = (0, eval)(s);
      if (v !== undefined) t.lvl(2, 'native ' + s);
      t.probe(v, s);
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  for (const k of [
    'internalBinding',
    'primordials',
    'gc',
    'd8',
    'privateSymbols',
    'perIsolateSymbols',
  ])
    if (globalThis[k] !== undefined) {
      t.lvl(2, 'global ' + k);
      t.probe(globalThis[k], k);
    }
}
