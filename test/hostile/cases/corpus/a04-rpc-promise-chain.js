// desc: Constructor chain from the Promise returned by an RPC call
// class: realm
// flags:
async (t) => {
  const p = t.api.rpc('echo', 1);
  t.probe(p, 'rpcp');
  t.tryCtor(p.constructor.constructor, 'rpcp.ctor');
  t.probe(await p, 'val');
}
