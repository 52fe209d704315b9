// desc: import() smuggled through Function/eval/AsyncFunction/GeneratorFunction/setTimeout(string)
// class: error
// flags:
async (t) => {
  const I = 'imp' + 'ort',
    A = (async () => {}).constructor;
  for (const f of [
    () => t.F('return ' + I + '("node:fs")')(),
    () => (0, eval)(I + '("node:fs")'),
    () => A('return ' + I + '("node:fs")')(),
    () => A('return await ' + I + '("node:fs")')(),
    () =>
      function* () {}
        .constructor('yield ' + I + '("node:fs")')()
        .next().value,
  ]) {
    try {
      const m = await f();
      t.fsAuth(m, 'dyn');
      t.probe(m, 'm', 40);
    } catch (e) {
      t.probe(e, 'e', 60);
    }
  }
  try {
    setTimeout('globalThis.__st=' + I + '("node:fs")', 1);
    await t.wait(10);
    const m = await globalThis.__st;
    m && t.fsAuth(m, 'st');
  } catch (e) {
    t.probe(e, 'e', 60);
  }
}
