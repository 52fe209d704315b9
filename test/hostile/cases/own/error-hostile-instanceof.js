// desc: Symbol.hasInstance on Error, Promise, Map, ArrayBuffer and the kernel's own classes answers what we like, and hears what the kernel asks about
// class: error
// flags: crash
// fires: a thread that lets Node look at what nobody caught: it inspects the value, and ends
async (t) => {
  const asked = [];
  const undo = [];
  const classes = [Error, Promise, Map, Set, ArrayBuffer, Date, RegExp, Object, Array, Uint8Array];
  for (const name of ['Headers', 'Response', 'Request', 'Blob', 'File', 'FormData', 'AbortSignal', 'EventTarget']) if (typeof globalThis[name] === 'function') classes.push(globalThis[name]);
  let turn = 0;
  for (const Class of classes) {
    const had = Reflect.getOwnPropertyDescriptor(Class, Symbol.hasInstance);
    Object.defineProperty(Class, Symbol.hasInstance, { configurable: true, value: function (value) { if (asked.length < 300) asked.push(this, value); return turn++ % 2 === 0; } });
    undo.push(() => (had ? Object.defineProperty(Class, Symbol.hasInstance, had) : delete Class[Symbol.hasInstance]));
  }
  const results = [];
  const run = async (work) => { try { results.push(await Promise.race([work(), t.wait(40)])); } catch (error) { results.push(error); } };
  setTimeout(() => ({ then(done, fail) { asked.push(done, fail); try { fail?.(t.context); } catch (error) { asked.push(error); } } }), 1);
  setTimeout(() => { throw { name: 'x', get message() { asked.push(this); return t.sdk; } }; }, 1);
  await run(() => t.api.rpc('echo', { a: 1 }));
  await run(() => t.api.rpc('failAsync'));
  await run(() => t.module.http.fetch('https://example.com/', { method: 'POST', body: { a: 1 } }));
  await run(() => t.context.request.headers.get('x'));
  for (const value of [{}, new Error('x'), new Map([[1, 2]]), new ArrayBuffer(2)]) { await run(() => globalThis.structuredClone?.(value)); await run(() => globalThis.console?.log(value)); await run(() => globalThis.Response && new globalThis.Response(value).text()); }
  t.api.handle('cb', () => { throw { name: 'Odd', message: 'x' }; });
  await run(() => t.api.rpc('callMeBack', 1));
  await t.wait(10);
  for (const back of undo) back();
  for (const value of [...results, ...asked.slice(0, 150)]) t.probe(value, 'asked', 20);
}
