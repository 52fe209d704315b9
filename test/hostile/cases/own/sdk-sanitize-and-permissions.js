// desc: String and array methods are ours when sanitizeInput and checkPermissions use them: they get the kernel's patterns, replacers and callbacks
// class: sdk
// flags:
// fires: patterns and callbacks of the host's realm
async (t) => {
  const caught = [];
  const undo = [];
  const tap = (owner, keys) => { for (const key of keys) { const found = Reflect.getOwnPropertyDescriptor(owner, key); if (!found || typeof found.value !== 'function') continue; Object.defineProperty(owner, key, { ...found, value: function (...args) { if (caught.length < 300) caught.push(this, ...args); return Reflect.apply(found.value, this, args); } }); undo.push(() => Object.defineProperty(owner, key, found)); } };
  tap(String.prototype, ['replace', 'normalize', 'toWellFormed', 'trim', 'trimEnd', 'slice', 'toLowerCase', Symbol.iterator]);
  tap(RegExp.prototype, ['exec', 'test', Symbol.replace]);
  tap(Array.prototype, ['every', 'includes', 'some', 'find']);
  tap(Object, ['hasOwn', 'entries', 'keys', 'freeze', 'defineProperty']);
  const results = [];
  try {
    for (const text of ['<b>x</b>&"\'', 'a'.repeat(20000), '\ud800\u202e<<b>b>']) results.push(t.sdk.sanitizeInput(text, { maxLength: { valueOf: () => 10 }, html: 'strip' }), t.module.sanitizeInput(text, new Proxy({}, { get: (_target, key) => (caught.push(key), undefined) })));
    class Hostile extends Array { every(callback) { caught.push(callback); return callback('x', 0, this); } }
    results.push(await Promise.race([t.sdk.checkPermissions({ permissions: { includes(permission) { caught.push(this, permission); return { then() {} }; } } }, Hostile.from(['read'])), t.wait(50)]));
    results.push(await Promise.race([t.module.checkPermissions(new Proxy({}, { get: () => new Proxy([], {}) }), ['read']), t.wait(50)]));
  } catch (error) { results.push(error); }
  for (const back of undo) back();
  for (const value of [...results, ...caught]) t.probe(value, 'caught', 20);
  t.probe(t.sdk.sanitizeInput, 'sanitizeInput');
}
