// desc: A handler answers with things that only look like a Response and give chunks that are none; the kernel cuts them, copies them and sends them
// class: stream
// flags:
// fires: the host's call and what it rejects with; a kernel that hands chunks of its own to the subarray of ours
async (t) => {
  const kept = [];
  const chunk = (kind) => [{ byteLength: NaN, get buffer() { kept.push(this); return new ArrayBuffer(1); }, subarray(...args) { kept.push(this, args); return this; } }, { byteLength: 5, subarray: () => t.context }, new (class extends Uint8Array { static get [Symbol.species]() { kept.push(this); return t.sdk.BaseModule; } subarray() { kept.push(this); return new Proxy(new Uint8Array(2), { get(target, key) { kept.push(key); return key === 'byteLength' ? 3 : Reflect.get(target, key, target); } }); } })(4), Object.defineProperty(new Uint8Array(2), 'byteLength', { get() { kept.push(this); return 2 ** 40; } }), new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })), t.context, Symbol('x')][kind];
  for (let kind = 0; kind < 7; kind++) {
    for (const tag of ['plexichat.web.take-body', 'body']) {
      let reads = 0;
      const source = { read() { kept.push(this); return reads++ < 2 ? Promise.resolve(chunk(kind)) : { then(done, fail) { kept.push(done, fail); fail({ get message() { kept.push(this); return t.sdk; } }); } }; }, cancel() { kept.push(this); throw new Error('x'); }, releaseLock() {} };
      const answer = { status: 200, headers: { get() { return null; }, *[Symbol.iterator]() { yield ['content-type', { toString() { kept.push(this); return 'text/plain'; } }]; } }, arrayBuffer() {}, bodyUsed: false, body: { getReader: () => ({ ...source, read: async () => ({ done: false, value: await source.read() }) }) } };
      if (tag !== 'body') answer[Symbol.for(tag)] = function () { kept.push(this, arguments); return { kind: 'source', source }; };
      t.api.handle('cb', () => answer);
      await Promise.race([t.try('answer', () => t.api.rpc('callMeBack', kind)), t.wait(30)]);
    }
  }
  for (const value of kept.slice(0, 150)) t.probe(value, 'kept', 20);
  await t.try('alive', () => t.api.rpc('echo', 1));
}
