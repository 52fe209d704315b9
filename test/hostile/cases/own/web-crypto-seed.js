// desc: crypto over views that are none, digests named by code; array methods are ours while the generator is made and used
// class: web
// flags:
// fires: crypto and its digests are the host's objects
async (t) => {
  const caught = [];
  const undo = [];
  const typed = Object.getPrototypeOf(Uint8Array.prototype);
  for (const [owner, keys] of [[typed, ['set', 'slice', 'subarray', 'fill', 'map']], [DataView.prototype, ['getUint32', 'setUint32']], [Object, ['freeze', 'assign', 'defineProperty', 'keys', 'hasOwn']]]) for (const key of keys) {
    const found = Reflect.getOwnPropertyDescriptor(owner, key);
    Object.defineProperty(owner, key, { ...found, value: function (...args) { if (caught.length < 300) caught.push(this, ...args); return Reflect.apply(found.value, this, args); } });
    undo.push(() => Object.defineProperty(owner, key, found));
  }
  const results = [];
  try {
    const { crypto } = globalThis;
    if (crypto) {
      results.push(crypto, crypto.subtle, crypto.getRandomValues(new Uint8Array(8)), crypto.randomUUID());
      for (const name of ['SHA-256', { get name() { caught.push(this); return 'sha-1'; } }, '__proto__', 'constructor', { name: Symbol('x') }, null]) for (const data of [new Uint8Array(4), new ArrayBuffer(8, { maxByteLength: 16 }), new Proxy(new Uint8Array(1), {}), 'x']) { try { const digest = crypto.subtle.digest(name, data); results.push(digest, await digest); } catch (error) { results.push(error); } }
      for (const view of [new Float32Array(2), new DataView(new ArrayBuffer(2)), new Uint8Array(70000), { [Symbol.toStringTag]: 'Uint8Array' }, Object.setPrototypeOf(new Uint8Array(2), Array.prototype), null]) try { results.push(crypto.getRandomValues(view)); } catch (error) { results.push(error); }
    }
    results.push(t.api.rpc('echo', 1));
  } catch (error) { results.push(error); }
  for (const back of undo) back();
  for (const value of [...results, ...caught]) t.probe(value, 'caught', 30);
}
