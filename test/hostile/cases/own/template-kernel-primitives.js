// desc: Whatever the kernel writes into a template text is asked for a primitive: who asks, with what, and what an answer that is none leads to
// class: template
// flags:
// fires: the errors of conversions are made where the conversion is
async (t) => {
  const seen = [];
  const answers = [() => t.context, () => Symbol('x'), () => { throw t.sdk; }, () => 'x'.repeat(100), () => 1n, () => undefined];
  const make = (answer) => Object.defineProperties(function () {}, { [Symbol.toPrimitive]: { value: function (hint) { seen.push(this, hint, arguments); try { seen.push(arguments.callee.caller); } catch (error) { seen.push(error); } return answer(); } }, toString: { value: null }, name: { get() { seen.push(this); try { return answer(); } catch { return {}; } } }, length: { get() { seen.push(this); return -1; } } });
  const { Headers, TextDecoder, URL, Event, AbortSignal, DOMException, Response, crypto, console } = globalThis;
  for (const answer of answers) {
    const value = make(answer);
    for (const run of [() => new t.sdk.HttpError(value, value), () => new t.sdk.EgressDeniedError(value), () => t.sdk.cacheResult({ ttl: value }), () => t.sdk.retry({ attempts: value }), () => t.module.router.get(value, value), () => t.module.router.mount(value, { fetch() {} }), () => t.module.tasks.enqueue(value, 1), () => t.module.logger.info(value, value), () => t.context.json(value, value, { a: value }), () => Headers && new Headers([[value, value]]), () => TextDecoder && new TextDecoder(value), () => URL && new URL(value, value), () => Event && new Event(value), () => AbortSignal?.timeout(value), () => DOMException && new DOMException(value, { name: value }).name, () => Response?.redirect(value, value), () => crypto?.subtle.digest(value, new Uint8Array(1)), () => console?.count(value), () => console?.timeEnd(value), () => setTimeout(value, value, value), () => t.sdk.getUserTier(value), () => t.sdk.moduleEndpoint(value, value)(value, { kind: value, name: value })]) await Promise.race([t.try('run', run), t.wait(20)]);
  }
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 20);
}
