// desc: .caller walk from a handler invoked by a host-initiated RPC
// class: realm
// flags:
async (t) => {
  t.api.handle('cb', function h() {
    try {
      let f = h,
        i = 0;
      while ((f = f.caller) && i++ < 20) {
        t.probe(f, 'caller');
        t.probe(f.arguments, 'cargs');
      }
    } catch (e) {
      t.probe(e, 'e');
    }
    t.probe(this, 'this');
    t.probe(arguments, 'args');
    return 1;
  });
  await t.api.rpc('callMeBack', { a: [1, { b: 2 }] });
}
