// desc: Function.prototype.toString on API functions leaks bootstrap source; host paths in stacks
// class: port
// flags:
async (t) => {
  const s = [t.api.rpc, t.api.handle, setTimeout].map(String).join('\n');
  if (/\/runtime\/|workerData|SECRET/.test(s)) t.lvl(1, 'source leak');
  const e = new Error('x');
  if (/\/runtime\/|node:internal/.test(String(e.stack))) t.lvl(1, 'host path in stack');
  let e2;
  try {
    t.api.rpc(Symbol());
  } catch (x) {
    e2 = x;
  }
  if (e2 && /\/runtime\/|node:internal/.test(String(e2.stack))) t.lvl(1, 'host path in stack');
}
