// desc: globalThis.constructor.constructor('return process') chain
// class: realm
// flags:
async (t) => {
  await t.try('g', () => globalThis);
  t.tryCtor(globalThis.constructor && globalThis.constructor.constructor, 'gcc');
  const s = (function () {
    return this;
  })();
  t.tryCtor(s && s.constructor && s.constructor.constructor, 'scc');
  t.tryCtor(t.F, 'F');
}
