// desc: The DOMException of a refusing port carries Node's clone hook: who overwrites it names the internal class that the receiver loads and fills
// class: port
// flags: rawport
// fires: a port that lets its own errors out and takes objects; the hook runs, and the receiver requires the module it names
async (t) => {
  if (!t.raw) return;
  const errors = [];
  for (const value of [() => {}, Symbol('x'), new Proxy({}, {}), Promise.resolve()]) {
    try { await t.raw.postMessage(value); } catch (error) { errors[errors.length] = error; }
  }
  for (const error of errors) {
    t.probe(error, 'refused');
    for (let level = error; level; level = Object.getPrototypeOf(level)) {
      for (const symbol of Object.getOwnPropertySymbols(level)) {
        if (!/messaging_(clone|transfer)/.test(String(symbol))) continue;
        t.lvl(1, 'a hook of Node is in reach: ' + String(symbol));
        let sent;
        try { sent = new error.constructor('x', 'y'); } catch { sent = error; }
        let specification = 'internal/nothing:X';
        Object.defineProperty(sent, symbol, { value: () => {
          t.lvl(2, 'Node asked the hook');
          return { data: { handle: {} }, deserializeInfo: specification };
        } });
        await t.try('send', () => t.raw.postMessage(sent));
        await t.wait(20);
        specification = 'internal/test/transfer:F';
        await t.try('send', () => t.raw.postMessage(sent));
      }
    }
  }
}
