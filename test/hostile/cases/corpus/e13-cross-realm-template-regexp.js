// desc: Tagged template objects, RegExp legacy statics, arguments objects and getter functions realm
// class: node
// flags:
async (t) => {
  await t.try('tt', () => ((s) => s)`a${1}b`);
  await t.try('arg', () =>
    (function () {
      return arguments;
    })(1),
  );
  await t.try('ta', () =>
    Object.getOwnPropertyDescriptor(
      (function () {
        'use strict';
        return arguments;
      })(),
      'callee',
    ),
  );
  await t.try('rx', () => Object.getOwnPropertyDescriptor(RegExp, 'input'));
  await t.try('rx2', () => Object.getOwnPropertyDescriptor(RegExp, Symbol.species));
  await t.try('thrower', () => Object.getOwnPropertyDescriptor(Function.prototype, 'caller'));
  await t.try('stackd', () => Object.getOwnPropertyDescriptor(new Error('x'), 'stack'));
}
