// desc: Promise.try, withResolvers, all, any and Array.fromAsync with constructors of ours over pending calls, and subclasses whose species and then answer for them
// class: engine
// flags:
// fires: the call's promise, its constructor and its resolvers are the host's
async (t) => {
  const kept = [];
  const Fake = function (executor) { kept.push(new.target, executor); const self = { then(...args) { kept.push(...args); }, get constructor() { kept.push(this); return Fake; } }; try { executor((value) => { kept.push(value); }, (reason) => { kept.push(reason); }); } catch (error) { kept.push(error); } return self; };
  Fake.resolve = function (value) { kept.push(this, value); return value; };
  Fake[Symbol.species] = t.sdk.BaseModule;
  class Sub extends Promise { static get [Symbol.species]() { kept.push(this); return Fake; } then(...args) { kept.push(...args); return super.then(...args); } }
  const calls = () => [t.api.rpc('echo', 1), t.api.rpc('failAsync'), t.module.http.fetch('https://example.com/'), t.sdk.getUserTier(['echo', [1]])].map((call) => { call?.then?.(() => {}, () => {}); return call; });
  for (const Class of [Fake, Sub, Promise, Object.assign(Promise.resolve().constructor, {})]) {
    for (const run of [() => Promise.all.call(Class, calls()), () => Promise.any.call(Class, calls()), () => Promise.race.call(Class, calls()), () => Promise.allSettled.call(Class, calls()), () => Promise.try?.call(Class, (...args) => { kept.push(...args); return calls()[0]; }, t.context), () => Promise.withResolvers.call(Class), () => Promise.prototype.then.call(calls()[0], (value) => kept.push(value)), () => Promise.prototype.finally.call({ constructor: Class, then: (...args) => kept.push(...args) }, () => t.context), () => Promise.resolve.call(Class, calls()[1]), () => Promise.reject.call(Class, t.context)]) await Promise.race([t.try('run', run), t.wait(15)]);
  }
  for (const run of [() => Array.fromAsync?.(calls(), (value) => { kept.push(value); return value; }), () => Array.fromAsync?.call(Fake, calls()), () => Array.fromAsync?.({ async *[Symbol.asyncIterator]() { yield* calls(); } }), () => Array.fromAsync?.call(t.sdk.BaseModule, [1])]) await Promise.race([t.try('fromAsync', run), t.wait(30)]);
  for (const call of calls()) { try { Object.defineProperty(call, 'constructor', { value: Sub }); Object.defineProperty(call, 'then', { value(...args) { kept.push(...args); } }); } catch (error) { kept.push(error); } await Promise.race([t.try('await', async () => await call), t.wait(15)]); }
  for (const value of kept.slice(0, 200)) t.probe(value, 'kept', 20);
}
