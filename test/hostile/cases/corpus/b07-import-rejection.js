// desc: Dynamic import() rejection reason realm, and whether import resolves builtins
// class: error
// flags:
async (t) => {
  for (const s of [
    'node:fs',
    'fs',
    'process',
    'file:///etc/hostname',
    'data:text/javascript,export default process',
  ]) {
    try {
      const m = await import(s);
      t.probe(m, 'ns', 40);
      t.fsAuth(m, 'import ' + s);
      t.authority(m.default, 'import ' + s);
    } catch (e) {
      t.probe(e, 'rej ' + s, 60);
    }
  }
}
