// desc: import.meta via evaluators (must be a SyntaxError) and in data: modules
// class: error
// flags:
async (t) => {
  const I = 'imp' + 'ort';
  for (const s of [I + '.meta', '(()=>' + I + '.meta)()']) {
    try {
      t.probe((0, eval)(s), 'meta');
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  try {
    const m = await t.F(
      'return ' +
        I +
        '("data:text/javascript,export const m=' +
        I +
        '.meta;export const g=globalThis")',
    )();
    t.probe(m, 'dm', 100);
    t.authority(m.g && m.g.process, 'dm');
  } catch (e) {
    t.probe(e, 'e', 60);
  }
}
