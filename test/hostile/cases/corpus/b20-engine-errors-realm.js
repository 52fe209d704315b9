// desc: Realm of errors created by the engine in guest code (Range/Type/Syntax/URI/Reference)
// class: error
// flags:
async (t) => {
  for (const f of [
    () => null.x,
    () => 'x'.repeat(2 ** 30 + 1),
    () => new Array(-1),
    () => 1n + 1,
    () => decodeURIComponent('%'),
    () => JSON.parse('{'),
    () => new RegExp('['),
    () => Symbol() + '',
    () => undefinedVariable,
    () => new Date(NaN).toISOString(),
    () => Object.defineProperty(Object.freeze({}), 'a', { value: 1 }),
    () => {
      'use strict';
      Object.freeze([]).push(1);
    },
    () => {
      const r = Proxy.revocable({}, {});
      r.revoke();
      r.proxy.x;
    },
    () =>
      new class A {
        constructor() {
          this.x;
        }
        static #p;
        static t(o) {
          return o.#p;
        }
      }.constructor.t({}),
    () => structuredClone(() => {}),
    () => new Intl.NumberFormat('xx-invalid-locale-zz'),
    () => 'a'.normalize('x'),
    () => new ArrayBuffer(2 ** 53),
    () => t.F('}{'),
  ])
    await t.try('eng', f);
}
