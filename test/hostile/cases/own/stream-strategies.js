// desc: Queuing strategies whose size and highWaterMark run code: they close, error and cancel the stream that is asking
// class: stream
// flags:
// fires: strategies, controllers and RangeErrors of the host
async (t) => {
  const { ReadableStream, WritableStream, TransformStream, CountQueuingStrategy, ByteLengthQueuingStrategy } = globalThis;
  const kept = [];
  await t.try('body', () => t.context.json('x').body.getReader().closed);
  const strategies = (controllers) => [{ get highWaterMark() { kept.push(this); return { valueOf() { kept.push(this); return 3; } }; }, get size() { kept.push(this); return function (chunk) { kept.push(this, chunk); for (const controller of controllers) for (const method of ['error', 'close', 'terminate', 'enqueue']) try { controller[method]?.(t.context); } catch (error) { kept.push(error); } return { valueOf: () => NaN }; }; } }, { highWaterMark: -1 }, { highWaterMark: Infinity, size: () => Infinity }, { highWaterMark: NaN }, { highWaterMark: 1n }, { size: 'x' }, { size: class {} }, new Proxy({}, { get: (_target, key) => (kept.push(key), undefined) }), CountQueuingStrategy && new CountQueuingStrategy({ get highWaterMark() { kept.push(this); return t.sdk; } }), ByteLengthQueuingStrategy && Object.create(new ByteLengthQueuingStrategy({ highWaterMark: 1 }))];
  const controllers = [];
  const keep = (controller) => { controllers.push(controller); };
  for (const strategy of strategies(controllers)) {
    for (const run of [() => new ReadableStream({ start(controller) { keep(controller); controller.enqueue('a'); controller.enqueue('b'); } }, strategy).getReader().read(), () => new WritableStream({ start: keep }, strategy).getWriter().write('x'), () => { const { readable, writable } = new TransformStream({ start: keep, transform(_chunk, controller) { controller.enqueue(1); } }, strategy, strategy); writable.getWriter().write('x'); return readable.getReader().read(); }]) await Promise.race([t.try('stream', run), t.wait(10)]);
  }
  for (const Class of [CountQueuingStrategy, ByteLengthQueuingStrategy]) if (Class) for (const args of [[], [null], [{}], [{ highWaterMark: t.sdk }]]) { const made = await t.try('strategy', () => new Class(...args)); if (t.isObj(made)) t.probe(made.size, 'size'); }
  for (const value of [...kept, ...controllers].slice(0, 200)) t.probe(value, 'kept', 20);
}
