// desc: Asynchronous iteration of streams that come back into themselves: next, return and throw out of order; streams made from hostile iterables
// class: stream
// flags:
// fires: the iterator of a host's stream, its results and its promises
async (t) => {
  const { ReadableStream } = globalThis;
  const kept = [];
  const streams = [() => t.context.json({ a: 1 }).body];
  if (ReadableStream) streams.push(() => new ReadableStream({ pull(controller) { kept.push(controller); controller.enqueue(1); } }));
  const hostile = { [Symbol.asyncIterator]() { kept.push(this, arguments); return { next() { kept.push(this, ...arguments); return { then(done) { kept.push(done); done({ get done() { kept.push(this); return false; }, get value() { kept.push(this); return t.context; } }); } }; }, return() { kept.push(this, ...arguments); return 5; }, get throw() { kept.push(this); return undefined; } }; } };
  if (ReadableStream?.from) for (const input of [hostile, { [Symbol.iterator]: () => ({ next: () => null }) }, [Promise.reject(t.sdk), Promise.resolve(1)], (function* () { try { yield t.module; } finally { kept.push('done'); yield 1; } })(), 'text', t.context, { [Symbol.asyncIterator]: null, *[Symbol.iterator]() { yield { then(done) { kept.push(done); done(1); } }; } }]) streams.push(() => ReadableStream.from(input));
  for (const make of streams) {
    const stream = await t.try('stream', make);
    if (!t.isObj(stream)) continue;
    const iterator = await t.try('iterator', () => stream.values?.({ get preventCancel() { kept.push(this); return true; } }) ?? stream[Symbol.asyncIterator]?.());
    if (!t.isObj(iterator)) continue;
    t.probe(Object.getPrototypeOf(Object.getPrototypeOf(iterator)), 'prototype', 60);
    const steps = [() => iterator.next(t.sdk), () => iterator.next(), () => iterator.return(t.context), () => iterator.throw?.(t.context), () => Reflect.apply(iterator.next, {}, []), () => Reflect.apply(iterator.return, iterator, []), () => iterator[Symbol.asyncIterator](), () => iterator[Symbol.asyncDispose]?.()];
    for (const step of [...steps, ...steps.toReversed()]) await Promise.race([t.try('step', step), t.wait(5)]);
    await Promise.race([t.try('for await', async () => { let count = 0; for await (const chunk of stream) { kept.push(chunk); if (count++ > 2) break; await iterator.return?.(); } }), t.wait(10)]);
  }
  for (const value of kept.slice(0, 150)) t.probe(value, 'kept', 20);
}
