// desc: Non-string, cyclic, huge and exotic values posted on the raw port; host must ignore them
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  const c = {};
  c.c = c;
  for (const v of [
    undefined,
    null,
    1,
    1n,
    NaN,
    {},
    [],
    c,
    new Map([[c, c]]),
    new Set([1]),
    new Date(NaN),
    /x/g,
    new Error('e'),
    new ArrayBuffer(1 << 20),
    'x'.repeat(1 << 21),
    '{',
    'null',
    '[]',
    '1',
    '{"id":1}',
    '{"id":{},"m":"echo","a":[]}',
    '{"id":1,"m":"echo","a":{}}',
    '{"id":1e400,"m":"echo","a":[]}',
    '{"h":{"__proto__":1}}',
    '\ud800',
  ])
    await t.try('g', () => p.postMessage(v));
  t.probe(await t.api.rpc('echo', 'alive'), 'alive');
}
