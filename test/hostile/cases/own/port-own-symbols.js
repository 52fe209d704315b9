// desc: Symbols and hooks that Node looks up on a port and its events: hybrid dispatch, onclose, oninit, receiving ports
// class: port
// flags: rawport
// fires: a whole MessagePort has them, with the host's functions behind
async (t) => {
  const names = ['nodejs.internal.kHybridDispatch', 'nodejs.internal.kCurrentlyReceivingPorts', 'nodejs.rejection', 'nodejs.util.inspect.custom'];
  const port = t.raw;
  if (port) {
    for (let level = port; level; level = Object.getPrototypeOf(level)) {
      for (const key of Reflect.ownKeys(level)) {
        if (key === 'postMessage' && level === port) continue;
        const found = Reflect.getOwnPropertyDescriptor(level, key);
        t.probe(found.value, String(key));
        t.probe(found.get, String(key) + '#get');
      }
    }
  }
  const heard = [];
  const spy = function () { if (heard.length < 60) heard.push(this, ...arguments); };
  for (const name of names) {
    for (const target of port ? [Object.prototype, port] : [Object.prototype]) {
      const before = Reflect.getOwnPropertyDescriptor(target, Symbol.for(name));
      try { Object.defineProperty(target, Symbol.for(name), { configurable: true, writable: true, value: spy }); } catch (error) { heard.push(error); continue; }
      await Promise.race([t.api.rpc('echo', 1).then((got) => heard.push(got), (error) => heard.push(error)), t.wait(60)]);
      setTimeout(() => {}, 1);
      await t.wait(3);
      if (before) Object.defineProperty(target, Symbol.for(name), before);
      else delete target[Symbol.for(name)];
    }
  }
  for (const value of heard) t.probe(value, 'heard', 80);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
