// desc: Spectre enablers: SharedArrayBuffer, Atomics, performance.now resolution, wasm
// class: node
// flags:
async (t) => {
  if (typeof SharedArrayBuffer !== 'undefined') t.lvl(1, 'SharedArrayBuffer');
  if (typeof WebAssembly !== 'undefined') {
    let ok = false;
    try {
      new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
      ok = true;
    } catch {}
    if (ok) t.lvl(1, 'wasm codegen');
  }
  if (typeof performance !== 'undefined' && performance.now) {
    let a = performance.now(),
      m = 1;
    for (let i = 0; i < 5000; i++) {
      const b = performance.now();
      if (b > a) m = Math.min(m, b - a);
      a = b;
    }
    if (m < 0.1) t.lvl(1, 'performance.now resolution ' + m);
  }
}
