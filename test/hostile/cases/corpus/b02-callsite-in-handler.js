// desc: CallSites captured inside a host-initiated RPC handler and a timer
// class: error
// flags:
async (t) => {
  const set = (f) => {
    try {
      Error.prepareStackTrace = f;
    } catch {}
  };
  const f = (e, cs) => {
    for (const c of cs) {
      try {
        t.probe(c.getThis(), 'this', 60);
        t.probe(c.getFunction(), 'fn', 60);
        const n = c.getFileName && c.getFileName();
        if (n && /node:|\/runtime\//.test(n)) t.lvl(1, 'frame ' + n);
      } catch {}
    }
    return '';
  };
  t.api.handle('cb', () => {
    set(f);
    String(new Error().stack);
    set(undefined);
    return 1;
  });
  await t.api.rpc('callMeBack', 1);
  await new Promise((r) =>
    setTimeout(() => {
      set(f);
      String(new Error().stack);
      set(undefined);
      r();
    }, 1),
  );
}
