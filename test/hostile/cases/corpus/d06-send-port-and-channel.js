// desc: Sending the port / new channels to the host; MessageChannel/BroadcastChannel availability
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (p) {
    await t.try('self', () => p.postMessage({ p }, [p]));
    await t.try('self2', () => p.postMessage({ p }));
  }
  if (typeof MessageChannel === 'function') {
    const c = new MessageChannel();
    t.probe(c, 'mc');
    if (p) await t.try('send', () => p.postMessage(c.port1, [c.port1]));
  }
  if (typeof BroadcastChannel === 'function') {
    t.lvl(2, 'BroadcastChannel reachable (cross-thread, ambient)');
    t.probe(new BroadcastChannel('x'), 'bc');
  }
}
