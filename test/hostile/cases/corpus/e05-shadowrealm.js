// desc: ShadowRealm.evaluate/importValue reaching host modules
// class: node
// flags:
async (t) => {
  if (typeof ShadowRealm === 'undefined') return;
  const s = new ShadowRealm();
  t.probe(s, 's');
  await t.try('ev', () => s.evaluate('typeof process'));
  try {
    const f = await s.importValue('node:fs', 'readFileSync');
    t.lvl(3, 'importValue');
    f(t.FILE, 'utf8').indexOf('FILE-CANARY') >= 0 && t.lvl(4, 'sr');
  } catch (e) {
    t.probe(e, 'e');
  }
}
