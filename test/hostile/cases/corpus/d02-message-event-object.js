// desc: MessageEvent delivered to onmessage: constructor, target, ports, prototype chain
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  const om = p.onmessage;
  await new Promise((r) => {
    try {
      p.onmessage = function (ev) {
        t.probe(ev, 'ev', 400);
        t.probe(ev.target, 'target', 100);
        t.probe(ev.data, 'data');
        t.probe(ev.ports, 'ports');
        t.tryCtor(ev.constructor.constructor, 'evcc');
        t.probe(this, 'this');
        t.probe(arguments, 'args');
        try {
          t.probe(arguments.callee.caller, 'caller');
        } catch {}
        r();
        if (om) return om.call(this, ev);
      };
    } catch (e) {
      r();
    }
    t.api.rpc('echo', 1);
    setTimeout(r, 200);
  });
  p.onmessage = om;
}
