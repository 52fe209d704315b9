// desc: Override Object.defineProperty/keys/freeze/Reflect.* after boot
// class: async
// flags:
async (t) => {
  const cap = [];
  const un = [];
  for (const [o, ks] of [
    [
      Object,
      [
        'defineProperty',
        'keys',
        'freeze',
        'create',
        'assign',
        'entries',
        'getOwnPropertyDescriptor',
        'hasOwn',
      ],
    ],
    [Reflect, ['get', 'set', 'ownKeys', 'construct', 'defineProperty']],
  ])
    for (const k of ks) {
      const f = o[k];
      try {
        o[k] = function (...a) {
          cap.push(...a);
          return Reflect.apply ? f.apply(o, a) : f(...a);
        };
        un.push(() => {
          o[k] = f;
        });
      } catch {}
    }
  try {
    t.api.handle('cb', () => 1);
    await t.api.rpc('callMeBack', 1);
    setTimeout(() => {}, 1);
    await t.wait(5);
  } catch (e) {
    cap.push(e);
  }
  un.forEach((u) => u());
  for (const c of cap.slice(0, 80)) t.probe(c, 'cap', 40);
}
