// desc: close()/ref()/unref()/drain()/start() on the raw port
// class: port
// flags: rawport,last
async (t) => {
  const p = t.raw;
  if (!p) return;
  for (const m of [
    'ref',
    'unref',
    'hasRef',
    'drain',
    'start',
    'stop',
    'getAsyncId',
    'getProviderType',
  ])
    if (typeof p[m] === 'function') await t.try(m, () => p[m]());
  t.api.rpc('note', t.result());
  if (typeof p.close === 'function') {
    const r = p.close(function () {
      t.probe(this, 'this');
      t.probe(arguments, 'a');
    });
    t.probe(r, 'r');
  }
}
