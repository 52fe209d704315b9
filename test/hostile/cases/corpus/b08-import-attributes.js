// desc: import() with attributes/odd specifiers/toString hooks
// class: error
// flags:
async (t) => {
  for (const f of [
    () => import('node:fs', { with: { type: 'json' } }),
    () =>
      import({
        toString() {
          t.probe(arguments, 'a');
          return 'node:fs';
        },
      }),
    () => import(Symbol()),
    () =>
      import('x', {
        get with() {
          t.probe(this, 'this');
          return {
            get type() {
              return 'json';
            },
          };
        },
      }),
    () => import('node:fs', null),
  ]) {
    let p;
    try {
      p = f();
    } catch (e) {
      t.probe(e, 's');
      continue;
    }
    t.probe(p, 'p');
    try {
      t.fsAuth(await p, 'import');
    } catch (e) {
      t.probe(e, 'r', 60);
    }
  }
}
