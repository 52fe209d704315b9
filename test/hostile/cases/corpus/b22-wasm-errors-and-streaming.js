// desc: WebAssembly compile/link/trap errors, compileStreaming host callback, JSTag
// class: error
// flags:
async (t) => {
  if (typeof WebAssembly === 'undefined') return;
  const bad = new Uint8Array([1, 2, 3]);
  for (const f of [
    () => new WebAssembly.Module(bad),
    () => WebAssembly.compile(bad),
    () => WebAssembly.instantiate(bad),
    () => WebAssembly.compileStreaming && WebAssembly.compileStreaming({}),
    () =>
      WebAssembly.instantiateStreaming &&
      WebAssembly.instantiateStreaming(
        Promise.resolve({
          [Symbol.for('nodejs.util.inspect.custom')](d, o, i) {
            t.probe(i, 'insp', 100);
            t.probe(o, 'opt', 100);
            return '';
          },
          valueOf: undefined,
          constructor: undefined,
        }),
      ),
    () =>
      WebAssembly.compileStreaming &&
      WebAssembly.compileStreaming({
        [Symbol.for('nodejs.util.inspect.custom')](d, o, i) {
          t.probe(i, 'insp', 100);
          t.probe(o, 'opt', 100);
          return '';
        },
      }),
    () => new WebAssembly.Memory({ initial: 1 }).buffer,
    () => WebAssembly.JSTag,
    () =>
      new WebAssembly.Instance(
        new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
        {},
      ).exports,
  ])
    await t.try('wasm', f);
}
