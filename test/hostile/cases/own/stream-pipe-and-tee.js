// desc: pipeTo, pipeThrough and tee with half streams, signals and options of ours; getReader and the writers' methods are replaced on the way
// class: stream
// flags:
// fires: the request's body and the answer's body are streams of the host
async (t) => {
  const { ReadableStream, WritableStream } = globalThis;
  const body = t.context.json({ a: 1 }).body;
  t.probe(body, 'body', 200);
  const seen = [];
  const classes = [body?.constructor, ReadableStream].filter((Class) => typeof Class === 'function');
  const fakeWriter = { get ready() { seen.push(this); return { then(done) { seen.push(done); done(); } }; }, closed: new Promise(() => {}), desiredSize: NaN, write(chunk) { seen.push(chunk); return t.context; }, releaseLock() { seen.push(this); }, close() {}, abort(reason) { seen.push(reason); } };
  const fakeTarget = { locked: false, getWriter() { seen.push(this); return fakeWriter; }, get _state() { seen.push(this); return 'writable'; }, _writableStreamController: fakeWriter };
  const signal = { aborted: false, get reason() { return t.sdk; }, addEventListener(type, listener) { seen.push(listener); try { listener(); } catch (error) { seen.push(error); } }, removeEventListener() { throw t.context; } };
  for (const Class of classes) {
    const make = () => new Class({ pull(controller) { controller.enqueue(new Uint8Array([1])); controller.close(); } });
    const undo = [];
    for (const name of ['getReader', 'tee', 'cancel', 'pipeTo']) { const found = Reflect.getOwnPropertyDescriptor(Class.prototype, name); if (!found) continue; Object.defineProperty(Class.prototype, name, { ...found, value: function (...args) { seen.push(this, ...args); const got = Reflect.apply(found.value, this, args); seen.push(got); return got; } }); undo.push(() => Object.defineProperty(Class.prototype, name, found)); }
    const tries = [() => make().pipeTo(fakeTarget), () => make().pipeTo(new Proxy(fakeTarget, {})), () => make().pipeThrough({ readable: make(), writable: fakeTarget }), () => make().pipeThrough({ get readable() { seen.push(this); return t.context; }, get writable() { return new WritableStream({ write(chunk, controller) { seen.push(chunk, controller, this); } }); } }), () => make().pipeTo(new WritableStream({ abort(reason) { seen.push(reason); } }), { signal, get preventClose() { seen.push(this); return 1; } }), () => make().pipeTo(new WritableStream(), new Proxy({}, { get(_target, key) { seen.push(key); return key === 'signal' ? t.context.signal : true; } })), () => Reflect.apply(Class.prototype.tee, {}, []), () => make().tee().map((branch) => branch.getReader().read()), () => Class.prototype.pipeTo.call(Object.create(make()), fakeTarget)];
    for (const run of tries) { const got = await Promise.race([t.try('pipe', run), t.wait(30)]); t.probe(got, 'got', 60); }
    for (const back of undo) back();
  }
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 20);
}
