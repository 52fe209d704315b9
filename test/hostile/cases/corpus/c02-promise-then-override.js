// desc: Override Promise.prototype.then/catch/finally to capture bridge internals
// class: async
// flags:
async (t) => {
  const o = Promise.prototype.then;
  const cap = [];
  try {
    Promise.prototype.then = function (a, b) {
      cap.push(a, b, this);
      return o.call(this, a, b);
    };
  } catch {}
  t.api.handle('cb', () => ({ x: 1 }));
  try {
    await t.api.rpc('callMeBack', 1);
    await t.api.rpc('echo', 1);
  } catch (e) {
    t.probe(e, 'e');
  }
  await t.wait(20);
  try {
    Promise.prototype.then = o;
  } catch {}
  for (const c of cap) t.probe(c, 'cap', 60);
}
