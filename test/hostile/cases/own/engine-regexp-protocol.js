// desc: exec, flags, lastIndex, Symbol.replace and Symbol.split answer what we like while the kernel checks URLs, header names and routes; the host must not believe its checks
// class: engine
// flags:
// fires: matches, groups and patterns are objects of the host
async (t) => {
  const seen = [];
  const undo = [];
  const match = Object.assign(['GET /x', 'GET', '/../../etc'], { index: 0, input: 'x', groups: t.context });
  const tap = (owner, key, make) => { const found = Reflect.getOwnPropertyDescriptor(owner, key); Object.defineProperty(owner, key, { configurable: true, ...(found?.get ? { get: make(found.get) } : { writable: true, value: make(found.value) }) }); undo.push(() => Object.defineProperty(owner, key, found)); };
  tap(RegExp.prototype, 'exec', () => function (text) { if (seen.length < 200) seen.push(this, text); return match; });
  tap(RegExp.prototype, 'test', () => function (text) { if (seen.length < 200) seen.push(this, text); return true; });
  tap(RegExp.prototype, 'flags', () => function () { seen.push(this); return 'g'; });
  tap(RegExp.prototype, Symbol.replace, () => function (text, by) { seen.push(this, by); return typeof by === 'function' ? by('__proto__', 'constructor') : String(text); });
  const results = [];
  const run = async (work) => { try { results.push(await Promise.race([work(), t.wait(50)])); } catch (error) { results.push(error); } };
  for (const url of ['file:///etc/passwd', 'http://127.0.0.1:22/', 'javascript:1', '//x', 'http://example.com/\r\nx: y', 'data:text/plain,x']) await run(() => t.module.http.fetch(url, { headers: { 'a\r\nb': 'c\r\n\r\nd' }, method: 'GET /\r\n' }));
  await run(() => t.context.json({ a: 1 }, 200, { 'x\r\ny': 'z\0' }));
  await run(() => t.module.tasks.enqueue('../../x', 1));
  await run(() => t.sdk.sanitizeInput('<script>'));
  t.api.handle('cb', () => { const { Response } = globalThis; return Response ? new Response('x', { headers: { 'set-cookie\r\n': 'a=b\r\n', 'transfer-encoding': 'chunked' }, statusText: 'x\r\ny' }) : {}; });
  await run(() => t.api.rpc('callMeBack', 1));
  for (const back of undo) back();
  for (const got of results) { if (t.isObj(got) && got.status === 200 && typeof got.url === 'string' && /^(file|data|javascript)|127\.0\.0\.1/.test(got.url)) t.lvl(4, 'the host went to ' + got.url); t.probe(got, 'result', 60); }
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 20);
}
