// desc: AsyncWrap.asyncReset with a non-object argument: a C++ CHECK failure that aborts the whole process
// class: port
// flags: rawport
async (t) => {
  const tryAbort = (p) => {
    for (let o = p; o && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
      const d = Reflect.getOwnPropertyDescriptor(o, 'asyncReset');
      if (d && typeof d.value === 'function') {
        t.api.rpc('note', { level: 2, notes: ['2:asyncReset reachable'] });
        Reflect.apply(d.value, p, []);
      }
    }
  };
  if (t.raw) {
    await t.wait(5);
    tryAbort(t.raw);
  }
}
