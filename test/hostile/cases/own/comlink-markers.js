// desc: Comlink asks a value that it sends for its markers, so a proxy as an argument learns them; then values are marked as proxies and as throws, with a MessageChannel of ours
// class: comlink
// flags:
// fires: the call's promise is the host's; with a real MessageChannel the peer would get a port to any object
async (t) => {
  const markers = new Set();
  const kept = [];
  const curious = new Proxy({}, { get(_target, key) { if (typeof key === 'symbol') markers.add(key); return undefined; }, has(_target, key) { if (typeof key === 'symbol') markers.add(key); return false; }, ownKeys: () => [], getOwnPropertyDescriptor: () => undefined });
  const ask = (...args) => Promise.race([t.try('rpc', () => t.api.rpc(...args)), t.wait(40)]);
  await ask('echo', curious);
  await Promise.race([t.try('tier', () => t.sdk.getUserTier(curious)), t.wait(40)]);
  await Promise.race([t.try('permissions', () => t.sdk.checkPermissions('x', [curious])), t.wait(40)]);
  const port = { start() { kept.push(this); }, postMessage(...args) { kept.push(...args); }, addEventListener(...args) { kept.push(...args); }, removeEventListener(...args) { kept.push(...args); }, close() { kept.push(this); } };
  const before = Reflect.getOwnPropertyDescriptor(globalThis, 'MessageChannel');
  globalThis.MessageChannel = class { constructor() { kept.push(new.target); this.port1 = port; this.port2 = port; } };
  for (const marker of markers) {
    for (const value of [{ [marker]: true, value: t.sdk }, { [marker]: 0, value: Object.assign(new Error('x'), { stack: 'stack', toJSON: () => t.context.params }) }, Object.defineProperty(() => t.module, marker, { value: true })]) {
      await Promise.race([t.try('marked', () => t.sdk.getUserTier(value)), t.wait(40)]);
      await ask('echo', value);
    }
  }
  for (const listener of kept.filter((value) => typeof value === 'function').slice(0, 12)) {
    for (const data of [{ id: '1', type: 'GET', path: [] }, { id: '2', type: 'APPLY', path: ['constructor', 'constructor'], argumentList: [{ type: 'RAW', value: 'return this' }] }, { id: '3', type: 'CONSTRUCT', path: ['constructor'], argumentList: [] }, { id: '4', type: 'ENDPOINT' }, { id: '5', type: 'RELEASE' }, { id: '6', type: 'SET', path: ['a'], value: { type: 'HANDLER', name: 'nobody' } }]) await t.try('listener', () => listener({ data, origin: 'x' }));
  }
  await t.wait(10);
  if (before) Object.defineProperty(globalThis, 'MessageChannel', before);
  else delete globalThis.MessageChannel;
  for (const value of kept.slice(0, 80)) t.probe(value, 'kept', 40);
}
