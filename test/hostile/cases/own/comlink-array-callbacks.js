// desc: reduce, slice, concat, fill and map are ours while Comlink walks a path and makes ids: they get the object that is exposed and may answer with another
// class: comlink
// flags:
// fires: the exposed object and its methods are the host's
async (t) => {
  const caught = [];
  const undo = [];
  for (const key of ['reduce', 'slice', 'concat', 'fill', 'map', 'join', 'filter', 'forEach', 'find', 'flat', 'some', 'at', 'shift', 'splice', 'unshift', 'sort']) {
    const found = Reflect.getOwnPropertyDescriptor(Array.prototype, key);
    const { apply } = Reflect;
    Object.defineProperty(Array.prototype, key, { ...found, value: function (...args) { if (caught.length < 400) { caught[caught.length] = this; for (let index = 0; index < args.length; index++) caught[caught.length] = args[index]; } const got = apply(found.value, this, args); if (caught.length < 400) caught[caught.length] = got; return got; } });
    undo[undo.length] = () => Object.defineProperty(Array.prototype, key, found);
  }
  const { random } = Math;
  Math.random = () => 0.5;
  let random2;
  try {
    t.api.handle('cb', () => ({ x: 1 }));
    for (let count = 0; count < 3; count++) { const got = await Promise.race([t.api.rpc('callMeBack', 1), t.wait(60)]).catch((error) => error); caught[caught.length] = got; }
    random2 = [t.api.rpc('echo', 'a'), t.api.rpc('echo', 'b')];
    for (const call of random2) call?.then?.(() => {}, () => {});
  } catch (error) { caught[caught.length] = error; }
  for (const back of undo) back();
  Math.random = random;
  // Two calls of one id: what one of them is answered with is its own.
  for (const call of random2 ?? []) await Promise.race([t.try('twin', () => call), t.wait(40)]);
  for (const value of caught) t.probe(value, 'caught', 20);
  for (const exposed of caught.filter((value) => t.isObj(value) && typeof value.invoke === 'function').slice(0, 2)) for (const name of ['describe', 'cancel', 'invoke', 'runTask']) await Promise.race([t.try(name, () => exposed[name]({ handler: 'GET /none', invocation: 1e9, task: 'none' }, { kind: 'none' })), t.wait(40)]);
}
