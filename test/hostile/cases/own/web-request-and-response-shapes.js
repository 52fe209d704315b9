// desc: Requests made of proxies and half objects, Responses made of bodies that lie about their tag, private fields on strangers
// class: web
// flags:
// fires: Request and Response are the host's classes, and so are their errors
async (t) => {
  const { request } = t.context;
  t.probe(request, 'request', 400);
  const Request = request.constructor;
  const Response = t.context.json({ a: 1 }).constructor;
  const seen = [];
  const tagged = (tag) => ({ [Symbol.toStringTag]: tag, toString() { seen.push(this); return tag; }, get size() { return -1; }, get type() { seen.push(this); return { toString: () => 'x/y' }; }, arrayBuffer() { seen.push(this); return t.sdk; } });
  const bodies = [tagged('Blob'), tagged('File'), tagged('FormData'), tagged('URLSearchParams'), tagged('Uint8Array'), { getReader() { seen.push(this); return { read: () => Promise.resolve({ get done() { seen.push(this); return true; } }), cancel() {} }; }, locked: 0 }, { async *[Symbol.asyncIterator]() { yield t.context; } }, { [Symbol.for('plexichat.web.byte-source')]: { read: () => Promise.resolve({ byteLength: 1e9 }), cancel() { seen.push(this); } } }, new Proxy({}, { has: () => true, get(_target, key) { seen.push(key); return () => t.context; } }), Symbol('x'), 1n];
  for (const body of bodies) {
    const made = await t.try('response', () => new Response(body, { status: { valueOf: () => 201 }, statusText: { toString: () => 'ok' }, headers: { a: 'b' } }));
    if (!t.isObj(made)) continue;
    for (const method of ['text', 'json', 'bytes', 'blob', 'formData', 'arrayBuffer', 'clone']) await Promise.race([t.try(method, () => made.clone ? made[method]?.() : undefined), t.wait(20)]);
    t.probe(made.body, 'body', 60);
  }
  for (const input of [new Proxy(request, {}), Object.create(request), { ...request, url: 'http://a.test/' }, { toString() { seen.push(arguments); return 'http://a.test/'; } }, 'relative', 'http://u:p@a.test/']) {
    for (const init of [{}, { method: { toString: () => 'post' }, body: 'x', signal: { aborted: true, reason: t.sdk } }, new Proxy({}, { get(_target, key) { seen.push(key); return undefined; }, ownKeys: () => ['headers', 'a'], getOwnPropertyDescriptor: () => ({ value: request, enumerable: true, configurable: true }) })]) {
      const made = await t.try('request', () => new Request(input, init));
      if (t.isObj(made)) for (const key of ['signal', 'headers', 'url', 'body', 'method', 'cache']) t.probe(made[key], key, 30);
    }
  }
  for (const Class of [Request, Response]) for (const key of Reflect.ownKeys(Class.prototype)) {
    const found = Reflect.getOwnPropertyDescriptor(Class.prototype, key);
    for (const method of [found.value, found.get]) if (typeof method === 'function') await Promise.race([t.try(String(key), () => Reflect.apply(method, t.module, [])), t.wait(20)]);
  }
  for (const method of ['json', 'redirect', 'error']) await t.try(method, () => Response[method](Object.defineProperty({}, 'toJSON', { value: function () { seen.push(this, arguments); return 1; } }), 302));
  for (const value of seen.slice(0, 100)) t.probe(value, 'seen', 20);
}
