// desc: Puts a function of ours between a class of the kernel and its parent: super() hands over what it is called with, and stamps private fields on objects of our choice
// class: sdk
// flags:
// fires: what the host's classes give their parents, and brand checks that pass on strangers
async (t) => {
  const caught = [];
  const victims = [{}, t.module, t.context, t.sdk, Object.freeze({}), Object.prototype, Function.prototype, new Proxy({}, {}), globalThis];
  const classes = [t.sdk.HttpError, t.sdk.EgressDeniedError, t.sdk.BaseModule];
  for (const name of ['Response', 'Request', 'File', 'CustomEvent', 'AbortSignal', 'DOMException', 'Headers']) if (typeof globalThis[name] === 'function') classes.push(globalThis[name]);
  for (const Class of classes) {
    const parent = Object.getPrototypeOf(Class);
    for (const victim of victims) {
      const Evil = function () { caught.push(new.target, ...arguments); return victim; };
      try { Object.setPrototypeOf(Class, Evil); } catch (error) { caught.push(error); continue; }
      for (const args of [[], ['http://a.test/', { method: 'POST', body: 'x' }], [404, 'x', { headers: t.context.params }], [['x'], 'name']]) {
        try { caught.push(new Class(...args)); } catch (error) { caught.push(error); }
      }
    }
    try { Object.setPrototypeOf(Class, parent); } catch {}
  }
  for (const name of ['headers', 'status', 'body', 'bodyUsed', 'signal', 'url', 'aborted', 'code']) for (const victim of victims.slice(0, 5)) for (const Class of classes) {
    const found = Reflect.getOwnPropertyDescriptor(Class.prototype, name);
    if (found && found.get) await t.try(name, () => Reflect.apply(found.get, victim, []));
  }
  for (const value of caught.slice(0, 200)) t.probe(value, 'caught', 30);
}
