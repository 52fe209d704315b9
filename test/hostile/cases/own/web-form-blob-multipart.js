// desc: Blobs of moving parts, files that lie, a FormData that changes while it is encoded, multipart bodies with hostile names
// class: web
// flags:
// fires: a body's blob and form are the host's objects
async (t) => {
  const { Blob, File, FormData, Response } = globalThis;
  const seen = [];
  const Answer = Response ?? t.context.json(1).constructor;
  const parts = { *[Symbol.iterator]() { const buffer = new ArrayBuffer(16, { maxByteLength: 32 }); yield new Uint8Array(buffer); buffer.resize(0); yield { toString() { seen.push(this, arguments); return 'x'; } }; yield new Proxy(new Uint8Array(4), {}); } };
  if (Blob) for (const args of [[parts, { get type() { seen.push(this); return { toString: () => 'A/B' }; }, get endings() { return 'native'; } }], [[Symbol('x')]], ['text'], [{ length: 3 }], [new Array(3)], [parts, null]]) {
    const blob = await t.try('blob', () => new Blob(...args));
    if (!t.isObj(blob)) continue;
    for (const method of ['text', 'arrayBuffer', 'bytes', 'stream', 'slice']) await t.try(method, () => blob[method]?.(-1, { valueOf: () => 1e9 }, 'x'));
    for (const symbol of Object.getOwnPropertySymbols(Blob.prototype)) await t.try(String(symbol), () => blob[symbol]?.call(blob));
    await t.try('subclass', () => new (class extends Blob { get size() { return 1e12; } slice() { return t.context; } })(parts).slice());
  }
  if (FormData && File) {
    const form = new FormData();
    const file = await t.try('file', () => new File(parts, { toString: () => 'a"\r\nb' }, { lastModified: { valueOf: () => { form.append('more', 'x'); return NaN; } } }));
    for (const args of [['a', file, 'x'], [{ toString: () => 'n\r\n"' }, file], ['b', Object.create(file)], ['c', new Proxy({}, {})], ['d', 'x', 'name']]) await t.try('append', () => form.append(...args));
    await t.try('forEach', () => form.forEach(function () { seen.push(this, ...arguments); if (seen.length < 50) form.append('again', 'x'); else form.delete('again'); }, t.module));
    const answer = await t.try('encode', () => new Answer(form));
    if (t.isObj(answer)) await t.try('decode', () => answer.formData());
  }
  for (const [text, type] of [['--x\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--', 'multipart/form-data; boundary=x'], ['--x', 'multipart/form-data; boundary=x'], ['', 'multipart/form-data'], ['__proto__=1&constructor=2', 'application/x-www-form-urlencoded'], ['x', { toString: () => 'multipart/form-data; boundary="' + 'a'.repeat(100) }]]) {
    const answer = await t.try('answer', () => new Answer(text, { headers: { 'content-type': String(type) } }));
    if (t.isObj(answer)) for (const method of ['formData', 'blob']) await t.try(method, () => answer.clone()[method]());
  }
  for (const value of seen.slice(0, 80)) t.probe(value, 'seen', 20);
}
