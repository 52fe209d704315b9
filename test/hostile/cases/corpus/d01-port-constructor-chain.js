// desc: port.constructor / port.postMessage.constructor chains and BFS of the port object
// class: port
// flags: rawport
async (t) => {
  const p = t.raw;
  if (!p) return;
  t.probe(p, 'port', 500);
  t.tryCtor(p.constructor && p.constructor.constructor, 'pcc');
  t.tryCtor(p.postMessage.constructor, 'pmc');
  let o = p;
  while ((o = Object.getPrototypeOf(o))) {
    t.probe(o, 'proto');
    for (const s of Object.getOwnPropertySymbols(o)) t.probe(o[s], String(s));
  }
}
