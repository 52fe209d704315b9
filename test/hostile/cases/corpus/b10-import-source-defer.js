// desc: import.source() / import.defer() phases via evaluators
// class: error
// flags:
async (t) => {
  const I = 'imp' + 'ort';
  for (const s of [
    I + '.source("node:fs")',
    I + '.defer("node:fs")',
    I + '.source("data:application/wasm;base64,AGFzbQEAAAA=")',
    '(async()=>{for await(const x of [' + I + '("node:fs")]) return x})()',
    I + '/**/("node:fs")',
    I + '\n("node:fs")',
  ]) {
    try {
      const m = await (0, eval)(s);
      t.fsAuth(m, s);
      t.probe(m, 'm', 40);
    } catch (e) {
      t.probe(e, 'e', 60);
    }
  }
}
