// desc: BYOB reads into views that are detached, resized, shared by two readers and answered twice
// class: stream
// flags:
// fires: byte streams, their requests and their TypeErrors are the host's
async (t) => {
  const { ReadableStream } = globalThis;
  const answer = t.context.json({ a: 1 });
  await t.try('byob', () => answer.body?.getReader({ mode: 'byob' }));
  if (!ReadableStream) return;
  const kept = [];
  const grown = new ArrayBuffer(16, { maxByteLength: 64 });
  const views = [new Uint8Array(8), new Uint8Array(grown), new DataView(new ArrayBuffer(8)), new BigInt64Array(2), new Proxy(new Uint8Array(4), {}), Object.setPrototypeOf(new Uint8Array(4), Array.prototype), new Uint8Array(0), { buffer: new ArrayBuffer(4), byteLength: 4, byteOffset: 0 }];
  for (const view of views) {
    const stream = new ReadableStream({ type: 'bytes', pull(controller) {
      const request = controller.byobRequest;
      kept.push(controller, request, request?.view);
      for (const run of [() => { grown.resize(0); }, () => request.view.buffer.transfer(), () => request.respond(1e9), () => request.respondWithNewView(new Uint8Array(4)), () => request.respond(1), () => request.respond(1), () => request.respondWithNewView(t.context), () => controller.enqueue(view), () => controller.enqueue(new Uint8Array(2)), () => controller.close(), () => request.respond(0)]) { try { kept.push(run()); } catch (error) { kept.push(error); } }
      try { grown.resize(16); } catch {}
    } });
    const reader = await t.try('reader', () => stream.getReader({ get mode() { kept.push(this); return 'byob'; } }));
    if (!t.isObj(reader) || !reader.read) continue;
    for (const options of [undefined, { min: { valueOf: () => 2 } }, { get min() { kept.push(this); return 1e9; } }]) await Promise.race([t.try('read', () => reader.read(view, options)), t.wait(10)]);
    await Promise.race([t.try('cancel', () => reader.cancel()), t.wait(10)]);
  }
  for (const value of kept.slice(0, 200)) t.probe(value, 'kept', 20);
}
