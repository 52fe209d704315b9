// desc: Map.prototype.set hands out the resolvers of pending calls: they are answered by us, with handlers that make proxies around ports of ours
// class: comlink
// flags:
// fires: the promises of pending calls are the host's
async (t) => {
  const { set } = Map.prototype;
  const resolvers = [];
  const kept = [];
  Map.prototype.set = function (key, value) { if (typeof value === 'function' && resolvers.length < 20) resolvers.push([this, key, value]); return Reflect.apply(set, this, [key, value]); };
  const calls = [];
  try { for (let count = 0; count < 6; count++) { const call = t.api.rpc('echo', count); call?.then?.(() => {}, () => {}); calls.push(call); } await t.wait(1); } finally { Map.prototype.set = set; }
  const port = { constructor: { name: 'MessagePort' }, start() { kept.push(this); }, close() { kept.push(this); }, postMessage(...args) { kept.push(...args); }, addEventListener(...args) { kept.push(...args); }, removeEventListener(...args) { kept.push(...args); } };
  const answers = [{ type: 'HANDLER', name: 'proxy', value: port }, { type: 'HANDLER', name: 'throw', value: { isError: true, value: { message: { toString: () => 'x' }, stack: t.sdk, __proto__: null } } }, { type: 'HANDLER', name: 'constructor', value: 1 }, { type: 'RAW', get value() { kept.push(this); return { then(done) { kept.push(done); done(t.context); } }; } }, { get type() { kept.push(this); return 'RAW'; } }, null];
  for (let index = 0; index < resolvers.length; index++) await t.try('answer', () => resolvers[index][2](answers[index % answers.length]));
  for (const call of calls) {
    const proxy = await Promise.race([t.try('call', () => call), t.wait(20)]);
    if (typeof proxy !== 'function') continue;
    for (const use of [() => proxy(1), () => new proxy(1), () => proxy.a.b.c, () => { proxy.x = t.sdk; }, () => proxy.constructor.constructor('return this'), () => proxy.bind(t.module), () => proxy.then, () => `${proxy}`, () => delete proxy.x, () => Object.keys(proxy), () => proxy.call.apply]) await Promise.race([t.try('proxy', use), t.wait(10)]);
  }
  for (const [map] of resolvers.slice(0, 4)) { t.probe(map, 'map', 60); for (const [key, value] of map) t.probe(value, 'pending ' + key, 20); }
  for (const value of kept.slice(0, 80)) t.probe(value, 'kept', 30);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
