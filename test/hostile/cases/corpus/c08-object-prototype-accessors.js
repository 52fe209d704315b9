// desc: Accessors on Object.prototype for names the bridge/Node reads (value,get,set,then,transfer,id,e,r,oninit,data)
// class: async
// flags:
async (t) => {
  // No array: it would run into the accessors for '0' and '1' itself.
  const cap = { __proto__: null };
  let caught = 0;
  const keep = (value) => {
    cap[caught++] = value;
  };
  const names = [
    'value',
    'get',
    'set',
    'writable',
    'enumerable',
    'then',
    'transfer',
    'id',
    'e',
    'r',
    'h',
    'm',
    'oninit',
    'data',
    'ports',
    'onmessage',
    'onmessageerror',
    'handle_onclose',
    'stackTraceLimit',
    'prepareStackTrace',
    'code',
    'cause',
    'signal',
    'port',
    'rep',
    'fn',
    'args',
    'res',
    'rej',
    '0',
    '1',
  ];
  const ok = [];
  for (const k of names) {
    try {
      Object.defineProperty(Object.prototype, k, {
        __proto__: null,
        configurable: true,
        get() {
          keep(this);
          return undefined;
        },
        set(v) {
          keep(this);
          keep(v);
          Object.defineProperty(this, k, {
            __proto__: null,
            value: v,
            writable: true,
            configurable: true,
            enumerable: true,
          });
        },
      });
      ok.push(k);
    } catch {}
  }
  try {
    t.api.handle('cb', () => 1);
    await Promise.race([t.api.rpc('callMeBack', 1), new Promise((r) => setTimeout(r, 150))]);
    if (t.raw) {
      try {
        t.raw.postMessage('x');
      } catch {}
      try {
        t.raw.postMessage(() => {});
      } catch (e) {
        keep(e);
      }
    }
  } catch (e) {
    keep(e);
  }
  for (const k of ok) delete Object.prototype[k];
  for (let i = 0; i < caught && i < 120; i++) t.probe(cap[i], 'cap', 40);
}
