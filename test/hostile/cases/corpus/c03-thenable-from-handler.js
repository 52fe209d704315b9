// desc: RPC handler returns a thenable: resolve/reject functions handed to guest `then`
// class: async
// flags:
async (t) => {
  t.api.handle('cb', () => ({
    then(a, b) {
      t.probe(a, 'res', 60);
      t.probe(b, 'rej', 60);
      try {
        t.probe(arguments.callee.caller, 'caller');
      } catch {}
      a({
        then(x) {
          t.probe(x, 'res2');
          x(5);
        },
      });
    },
  }));
  const r = await t.api.rpc('callMeBack', 1);
  t.probe(r, 'r');
}
