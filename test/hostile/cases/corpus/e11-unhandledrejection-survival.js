// desc: Many unhandled rejections with hostile reasons; worker policy must not hand values to host formatters
// class: node
// flags: crash
async (t) => {
  for (let i = 0; i < 20; i++) {
    Promise.reject(
      i % 3
        ? {
            get stack() {
              t.probe(arguments, 'a');
              return 1;
            },
            [Symbol.for('nodejs.util.inspect.custom')](d, o, ins) {
              t.probe(ins, 'ins', 60);
              t.api.rpc('note', t.result());
              return 'x';
            },
          }
        : undefined,
    );
  }
  await t.wait(50);
}
