// desc: Handlers that are generators, classes, proxies and bound functions; answers that are the kernel's own objects, globals, proxies of Responses
// class: answer
// flags:
// fires: what the host makes of an answer, and its promise
async (t) => {
  const seen = [];
  const { Response, Headers } = globalThis;
  const trap = { apply(target, self, args) { seen.push(self, ...args); return Reflect.apply(target, self, args); }, get(target, key, receiver) { seen.push(key); const got = Reflect.get(target, key, target); return typeof got === 'function' ? function (...args) { seen.push(...args); return Reflect.apply(got, target, args); } : got; } };
  const answers = [t.context, t.module, t.sdk, globalThis, Symbol('x'), 1n, -0, '\ud800', new Date(NaN), [,], new Map([[1, 2]]), new Error('x'), /x/, Object(1n), (function () { return arguments; })(t.sdk), t.api, t.context.request, t.module.router, Object.create(null)];
  if (Response) answers.push(new Proxy(new Response('1', { headers: { a: 'b' } }), trap), Object.create(new Response('1')), new (class extends Response { get status() { seen.push(this); return { valueOf: () => 200 }; } get headers() { return new Proxy(new Headers(), trap); } })('1'), Object.assign(() => {}, { status: 200, headers: new Headers(), arrayBuffer() {} }));
  const handlers = [function* () { seen.push(this); yield t.context; }, async function* () { yield t.context; }, class { constructor() { seen.push(new.target); } }, new Proxy(() => ({ a: 1 }), trap), (() => ({})).bind(t.module), async () => t.module, Function.prototype, Object, Proxy.revocable(() => {}, {}).proxy, ...answers.map((answer) => () => answer), ...answers.slice(0, 6).map((answer) => () => { throw answer; })];
  for (const handler of handlers) {
    t.api.handle('cb', handler);
    await Promise.race([t.try('answer', () => t.api.rpc('callMeBack', { a: 1 })), t.wait(40)]);
  }
  for (const value of seen.slice(0, 200)) t.probe(value, 'seen', 25);
  await t.try('alive', () => t.api.rpc('echo', 'alive'));
}
