// desc: Constructor chain via setTimeout itself and its returned handle
// class: realm
// flags:
async (t) => {
  if (typeof setTimeout !== 'function') return;
  t.probe(setTimeout, 'setTimeout');
  const h = setTimeout(() => {}, 1);
  t.probe(h, 'handle');
  for (const k of [
    'setInterval',
    'clearTimeout',
    'setImmediate',
    'queueMicrotask',
    'clearInterval',
  ]) {
    const f = globalThis[k];
    t.probe(f, k);
    if (k === 'setImmediate' && f)
      t.probe(
        f(() => {}),
        'immediate',
      );
  }
}
