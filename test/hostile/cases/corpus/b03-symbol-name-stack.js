// desc: error.name = Symbol(); error.stack -> TypeError thrown by the host stack formatter
// class: error
// flags:
async (t) => {
  const e = new Error('x');
  try {
    e.name = Symbol('s');
  } catch {}
  await t.try('stk', () => e.stack);
  const e2 = new Error('y');
  try {
    Object.defineProperty(e2, 'message', {
      get() {
        return Symbol();
      },
    });
  } catch {}
  await t.try('stk2', () => e2.stack);
  const e3 = new Error('z');
  try {
    Object.defineProperty(e3, 'name', { value: { toString: null, valueOf: null } });
  } catch {}
  await t.try('stk3', () => e3.stack);
}
