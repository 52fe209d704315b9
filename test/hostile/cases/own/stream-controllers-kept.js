// desc: Underlying sources and sinks with getters; their controllers are kept and used after close, error and cancel
// class: stream
// flags:
// fires: the controllers, readers and errors of the host's streams
async (t) => {
  const { ReadableStream, WritableStream, TransformStream } = globalThis;
  await t.try('body', () => t.context.json({ a: 1 }).body);
  const kept = [];
  const spy = (name, run) => ({ get [name]() { kept.push(this); return function (...args) { kept.push(this, ...args); return run?.(...args); }; } });
  const every = (target) => { for (const controller of kept.filter((value) => t.isObj(value) && ('enqueue' in value || 'error' in value || 'terminate' in value)).slice(0, 12)) for (const [method, value] of [['enqueue', new Uint8Array(1)], ['enqueue', t.context], ['close'], ['error', { get message() { throw t.sdk; } }], ['terminate'], ['desiredSize'], ['byobRequest'], ['signal']]) { try { kept.push(typeof controller[method] === 'function' ? controller[method](value) : controller[method]); } catch (error) { kept.push(error); } } t.probe(target, 'stream', 60); };
  if (ReadableStream) for (const type of [undefined, 'bytes', { toString() { kept.push(this); return 'bytes'; } }]) {
    const source = Object.defineProperties({ get type() { return type; }, get autoAllocateChunkSize() { return type ? 8 : undefined; } }, { ...Object.getOwnPropertyDescriptors(spy('start')), ...Object.getOwnPropertyDescriptors(spy('pull', (controller) => { if (controller?.byobRequest) kept.push(controller.byobRequest, controller.byobRequest.view); })), ...Object.getOwnPropertyDescriptors(spy('cancel', () => ({ then(done) { kept.push(done); done(t.context); } }))) });
    const stream = await t.try('readable', () => new ReadableStream(source));
    if (!t.isObj(stream) || !stream.getReader) continue;
    const reader = await t.try('reader', () => stream.getReader());
    if (!t.isObj(reader) || !reader.read) continue;
    const reading = reader.read();
    kept.push(reading);
    every(stream);
    await Promise.race([t.try('read', () => reading), t.wait(10)]);
    await Promise.race([t.try('cancel', () => reader.cancel(t.sdk)), t.wait(10)]);
    await t.try('release', () => reader.releaseLock());
    await Promise.race([t.try('closed', () => reader.closed), t.wait(10)]);
    every(stream);
  }
  if (WritableStream) {
    const stream = new WritableStream(Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(spy('start')), ...Object.getOwnPropertyDescriptors(spy('write', () => { throw t.context; })), ...Object.getOwnPropertyDescriptors(spy('close')), ...Object.getOwnPropertyDescriptors(spy('abort')) }));
    const writer = stream.getWriter();
    for (const method of ['write', 'abort', 'close', 'write']) await Promise.race([t.try(method, () => writer[method](t.module)), t.wait(10)]);
    every(stream);
  }
  if (TransformStream) {
    const stream = new TransformStream(Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(spy('start')), ...Object.getOwnPropertyDescriptors(spy('transform', (_chunk, controller) => { controller.terminate(); controller.enqueue(t.sdk); })), ...Object.getOwnPropertyDescriptors(spy('flush')) }));
    await Promise.race([t.try('write', () => stream.writable.getWriter().write('x')), t.wait(10)]);
    await Promise.race([t.try('read', () => stream.readable.getReader().read()), t.wait(10)]);
    every(stream);
  }
  for (const value of kept.slice(0, 250)) t.probe(value, 'kept', 20);
}
