// desc: Code from text by other doors than the corpus tries: Reflect.construct with a strange new.target, class extends Function, eval of objects, the constructors behind kernel functions
// class: engine
// flags:
// fires: constructors behind the host's functions make code there
async (t) => {
  const Async = (async () => {}).constructor;
  const Generator = (function* () {}).constructor;
  const AsyncGenerator = (async function* () {}).constructor;
  const doors = [t.F, Async, Generator, AsyncGenerator];
  for (const value of [t.sdk.BaseModule, t.sdk.moduleEndpoint, t.module.http.fetch, t.module.logger.info, t.api.rpc, setTimeout, t.context.json, t.sdk.Type?.Object, globalThis.queueMicrotask, globalThis.structuredClone, globalThis.console?.log]) if (typeof value === 'function') { const proto = Reflect.getPrototypeOf(value); const found = proto && Reflect.getOwnPropertyDescriptor(proto, 'constructor'); if (found) doors.push(found.value); try { doors.push(value.constructor); } catch {} }
  for (const Door of new Set(doors)) {
    if (typeof Door !== 'function') continue;
    t.tryCtor(Door, 'door');
    for (const target of [Object, t.sdk.BaseModule, Array, Proxy, new Proxy(Door, {}), class extends t.F {}]) await t.try('construct', () => Reflect.construct(Door, ['return this'], target)());
    await t.try('extends', () => new (class extends Door { constructor() { super('return this'); } })());
    await t.try('bound', () => Door.bind(null, 'return this')()());
    await t.try('proxy', () => new Proxy(Door, {})('a = (() => this)()', 'return a')());
    await t.try('lying text', () => Door({ toString: () => 'return this' })());
  }
  for (const code of [Object('this'), { toString: () => 'this', [Symbol.toPrimitive]: () => 'this' }, ['this'], 'this;//# sourceURL=x', 'this']) { const indirect = eval; await t.try('eval', () => { const got = indirect(code); if (got === globalThis) t.lvl(1, 'eval makes code'); return got; }); }
  for (const text of ['return this', '"use strict"; return arguments.callee']) await t.try('timer', () => setTimeout(text, 1));
}
