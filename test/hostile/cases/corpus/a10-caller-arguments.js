// desc: sloppy Function.prototype.caller / arguments.callee.caller walk from the module entry
// class: realm
// flags:
async (t) => {
  function walk() {
    let f = walk,
      i = 0;
    while (f && i++ < 20) {
      let c;
      try {
        c = f.caller;
      } catch (e) {
        t.probe(e, 'e');
        break;
      }
      if (!c) break;
      t.probe(c, 'caller' + i);
      try {
        t.probe(c.arguments, 'cargs' + i);
      } catch {}
      f = c;
    }
  }
  walk();
  (function () {
    try {
      t.probe(arguments.callee.caller, 'callee.caller');
    } catch {}
  })();
}
