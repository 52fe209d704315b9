// desc: A getter `start` on Object.prototype is called by Comlink with its endpoint as this: the kernel's way to the wire, to speak and to listen in
// class: comlink
// flags:
// fires: the host's call; an endpoint that is a port leads to its natives
async (t) => {
  const endpoints = new Set();
  const kept = [];
  const ours = new WeakSet();
  for (const name of ['start', 'close', 'origin', 'name']) Object.defineProperty(Object.prototype, name, { configurable: true, get() { if (t.isObj(this) && 'postMessage' in this) endpoints.add(this); return name === 'start' ? function () { if (t.isObj(this)) endpoints.add(this); } : undefined; }, set(value) { Object.defineProperty(this, name, { value, configurable: true, writable: true, enumerable: true }); } });
  await Promise.race([t.try('echo', () => t.api.rpc('echo', 1)), t.wait(100)]);
  for (const name of ['start', 'close', 'origin', 'name']) delete Object.prototype[name];
  for (const endpoint of endpoints) {
    t.probe(endpoint, 'endpoint', 100);
    if (typeof endpoint.postMessage !== 'function') continue;
    const listener = (event) => { if (!ours.has(event)) kept.push(event, event?.data); };
    await t.try('listen', () => endpoint.addEventListener?.('message', listener));
    // A few words that no kernel says; the host counts them, and does nothing else.
    for (const message of [{ id: 'x', type: 'GET', path: ['constructor'] }, { id: 'y', type: 'CONSTRUCT', path: ['users', 'constructor'], argumentList: [] }, { id: 'z', type: 'ENDPOINT', path: [] }]) await t.try('post', () => endpoint.postMessage(message, [t.context, new ArrayBuffer(1)]));
    await t.try('odd', () => endpoint.postMessage({ id: 'q', type: 'APPLY', path: ['users', 'tier'], argumentList: [{ type: 'RAW', value: ['echo', [1]] }], toJSON() { kept.push(this); return undefined; } }));
    await t.try('remove', () => endpoint.removeEventListener?.('message', listener));
  }
  await t.wait(20);
  for (const value of kept) t.probe(value, 'kept', 60);
}
