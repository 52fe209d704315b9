// desc: Uncaught throw of an object with util.inspect.custom (host serializeError/inspect calls guest hook with host args)
// class: error
// flags: crash
async (t) => {
  const k = Symbol.for('nodejs.util.inspect.custom');
  const o = {
    stack: 'x',
    [k](d, opt, ins) {
      t.probe(ins, 'inspect', 120);
      t.probe(opt, 'opts', 120);
      t.api.rpc('note', t.result());
      return 'x';
    },
    get message() {
      return 'm';
    },
  };
  setTimeout(() => {
    throw o;
  }, 1);
  if (typeof queueMicrotask === 'function')
    setTimeout(
      () =>
        queueMicrotask(() => {
          throw o;
        }),
      2,
    );
  Promise.resolve().then(() => {
    throw o;
  });
  await t.wait(60);
}
