// desc: process / process.getBuiltinModule / process.binding / _linkedBinding / dlopen
// class: node
// flags:
async (t) => {
  const p = typeof process !== 'undefined' ? process : undefined;
  if (p) {
    t.authority(p, 'process');
    for (const k of ['binding', '_linkedBinding', 'dlopen', 'reallyExit', 'mainModule'])
      if (p[k]) t.lvl(3, 'process.' + k);
  }
  for (const g of ['global', 'GLOBAL', 'root', 'self', 'window']) {
    const o = globalThis[g];
    if (o && o !== globalThis) t.probe(o, g, 30);
    if (o && o.process) t.authority(o.process, g);
  }
}
