// desc: http.fetch is given things that only look like a Request: the kernel's listeners and sources are called late, twice, and from inside of each other
// class: sdk
// flags:
// fires: the client, its promise and its refusal are the host's
async (t) => {
  const kept = [];
  const signal = { aborted: false, reason: t.sdk, throwIfAborted() { kept.push(this); }, addEventListener(type, listener, options) { kept.push(listener, options); try { listener({ type }); } catch (error) { kept.push(error); } }, removeEventListener(...args) { kept.push(...args); } };
  const source = { reads: 0, async read() { kept.push(this); if (this.reads++ < 3) return [new Uint8Array(3), { byteLength: NaN, subarray: (...args) => (kept.push(args), { byteLength: 1 }) }, new Proxy(new Uint8Array(2), {})][this.reads - 1]; }, cancel() { kept.push(this); } };
  const fake = { method: 'POST', url: 'https://example.com/', redirect: 'follow', signal, bodyUsed: false, headers: { *[Symbol.iterator]() { kept.push(this); yield ['a', 'b']; yield { 0: 'x', length: 2 }; } }, [Symbol.for('plexichat.web.take-body')]() { kept.push(this, arguments); return { kind: 'source', source }; } };
  const traps = new Proxy(fake, { get(target, key, receiver) { kept.push(receiver); return Reflect.get(target, key); }, has(target, key) { return Reflect.has(target, key); } });
  for (const [input, init] of [[fake], [traps], ['https://example.com/', { signal }], ['https://example.com/', new Proxy({ method: 'PUT', body: { [Symbol.for('plexichat.web.byte-source')]: source } }, { get(target, key) { kept.push(key); return target[key]; } })], [{ toString: () => 'https://example.com/' }], [{ href: 'https://user:pw@example.com/', toString() { return this.href; } }, { headers: t.context.params }], ['file:///etc/passwd'], ['http://169.254.169.254/'], [Symbol('x')], [null, null]]) {
    await t.try('fetch', () => t.module.http.fetch(input, init));
  }
  const late = kept.filter((value) => typeof value === 'function').slice(0, 30);
  for (const listener of [...late, ...late]) await t.try('late', () => listener({ target: signal }));
  signal.aborted = true;
  for (const listener of late) await t.try('aborted', () => listener.call(t.sdk, t.context));
  for (const value of kept.slice(0, 150)) t.probe(value, 'kept', 30);
}
