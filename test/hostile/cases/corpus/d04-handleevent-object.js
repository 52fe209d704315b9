// desc: onmessage/onmessageerror set to objects, getters, handleEvent; messageerror events
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  const om = p.onmessage;
  for (const v of [
    {
      handleEvent(e) {
        t.probe(e, 'he');
        t.probe(this, 'ht');
      },
    },
    null,
    5,
    class {
      constructor() {}
    },
  ]) {
    try {
      p.onmessage = v;
      p.onmessageerror = v;
      await t.wait(3);
    } catch (e) {
      t.probe(e, 'e');
    }
  }
  try {
    Object.defineProperty(p, 'onmessage', {
      configurable: true,
      get: function g() {
        t.probe(this, 'gthis');
        try {
          t.probe(g.caller, 'caller');
        } catch {}
        return om;
      },
    });
    await t.api.rpc('echo', 1);
    delete p.onmessage;
  } catch (e) {
    t.probe(e, 'e');
  }
  p.onmessage = om;
}
