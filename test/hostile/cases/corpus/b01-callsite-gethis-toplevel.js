// desc: Error.prepareStackTrace CallSite getThis/getFunction at module start
// class: error
// flags:
async (t) => {
  const o = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (e, cs) => {
      for (const c of cs) {
        try {
          t.probe(c, 'cs', 60);
          t.probe(c.getThis(), 'this', 60);
          t.probe(c.getFunction(), 'fn', 60);
          const f = c.getFileName && c.getFileName();
          if (f && /node:|\/runtime\//.test(f)) t.lvl(1, 'frame ' + f);
        } catch (x) {
          t.probe(x, 'x');
        }
      }
      t.probe(cs, 'arr', 60);
      return '';
    };
    const e = new Error('a');
    t.probe(e.stack, 's');
    (function f() {
      'no strict';
      String(new Error('b').stack);
    })();
  } finally {
    try {
      Error.prepareStackTrace = o;
    } catch {}
  }
}
