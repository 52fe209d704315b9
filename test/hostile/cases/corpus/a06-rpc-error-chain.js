// desc: Host-side exception surfaced through RPC: constructor chain, stack and message secrecy
// class: realm
// flags:
async (t) => {
  for (const m of ['failSync', 'failAsync', 'nope']) {
    try {
      await t.api.rpc(m);
    } catch (e) {
      t.probe(e, m);
      try {
        t.tryCtor(e.constructor.constructor, m);
      } catch {}
      const s = String(e && e.stack) + String(e && e.message) + JSON.stringify(e);
      if (/SECRET|host\.mjs|run\.mjs|\/runtime\//.test(s))
        t.lvl(1, m + ' leaks host detail: ' + s.slice(0, 80));
      t.probe(e.cause, 'cause');
    }
  }
}
