// desc: Deeply nested JSON (200k) and many-key objects against the host parser
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  const s = '['.repeat(200000) + ']'.repeat(200000);
  if (p) {
    p.postMessage('{"id":9,"m":"echo","a":[' + s + ']}');
    p.postMessage(s);
  }
  await t.try('k', () =>
    t.api.rpc('echo', Object.fromEntries(Array.from({ length: 20000 }, (_, i) => ['k' + i, i]))),
  );
  t.probe(await t.api.rpc('echo', 1), 'alive');
}
