// desc: WeakMap, Map and Set methods are ours when URL, events and streams keep their private state in them
// class: web
// flags:
// fires: host calls and their promises; a host that keeps state in collections of the guest's realm hands it out
async (t) => {
  const caught = [];
  const undo = [];
  for (const [owner, keys] of [[WeakMap.prototype, ['get', 'set', 'has']], [Map.prototype, ['get', 'set', 'has', 'delete', 'keys', Symbol.iterator]], [Set.prototype, ['add', 'has', Symbol.iterator]], [WeakSet.prototype, ['add', 'has']]]) {
    for (const key of keys) {
      const found = Reflect.getOwnPropertyDescriptor(owner, key);
      Object.defineProperty(owner, key, { ...found, value: function (...args) { if (caught.length < 400) { caught[caught.length] = this; for (let index = 0; index < args.length; index++) caught[caught.length] = args[index]; } const got = Reflect.apply(found.value, this, args); if (caught.length < 400) caught[caught.length] = got; return got; } });
      undo.push(() => Object.defineProperty(owner, key, found));
    }
  }
  const results = [];
  const make = (name, ...args) => { try { const Class = globalThis[name]; if (typeof Class === 'function') results.push(new Class(...args)); return results.at(-1); } catch (error) { results.push(error); } };
  try {
    make('URL', '/a?b=c#d', 'http://user:pw@a.test:81/'); make('URLSearchParams', { a: 'b' }); make('AbortController'); make('EventTarget'); make('Event', 'x'); make('FormData'); make('ReadableStream', { type: 'bytes' }); make('TransformStream');
    for (const value of results.slice()) for (const key of ['searchParams', 'href', 'signal', 'readable', 'writable', 'target']) try { results.push(value?.[key]); } catch (error) { results.push(error); }
    results.push(await t.api.rpc('echo', { a: 1 }).catch((error) => error));
    results.push(await t.module.http.fetch('https://example.com/').catch((error) => error));
    console.count({ toString: () => 'label' });
    console.time('x');
    console.timeEnd('x');
  } catch (error) { results.push(error); }
  for (const back of undo) back();
  for (const value of [...results, ...caught]) t.probe(value, 'caught', 20);
}
