// desc: __proto__/constructor.prototype keys in RPC arguments and results (host prototype pollution)
// class: port
// flags:
async (t) => {
  const evil = [
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"a":{"__proto__":{"polluted":1}}}',
  ];
  for (const s of evil) {
    const o = JSON.parse(s);
    for (const m of ['echo', 'merge']) await t.try(m, () => t.api.rpc(m, o));
    await t.try('kv', () => t.api.rpc('kvSet', '__proto__', o));
    t.api.handle('cb', () => o);
    await t.try('cb', () => t.api.rpc('callMeBack', 1));
    if (t.raw)
      t.raw.postMessage('{"id":77,"m":"merge","a":[' + s + '],"__proto__":{"polluted":1}}');
  }
  await t.try('kv2', () => t.api.rpc('kvGet', 'constructor'));
  if ({}.polluted) t.lvl(2, 'guest polluted by echo');
  const h = await t.api.rpc('hostCheck');
  if (h && h.polluted) t.lvl(2, 'HOST POLLUTED');
}
