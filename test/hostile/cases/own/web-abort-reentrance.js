// desc: Abort signals: any() over things that are none, listeners that abort, dispatch and remove each other, the platform's own steps called by their symbols
// class: web
// flags:
// fires: the context's signal and its events are the host's
async (t) => {
  const seen = [];
  const { signal } = t.context;
  const Signal = signal.constructor;
  const Controller = globalThis.AbortController;
  t.probe(signal, 'signal', 200);
  const fake = { aborted: false, reason: t.sdk, addEventListener(type, listener) { seen.push(this, listener, arguments); try { listener({ type }); listener.call(fake); } catch (error) { seen.push(error); } }, removeEventListener(...args) { seen.push(...args); throw new Error('x'); } };
  for (const input of [[fake], [signal, fake], { *[Symbol.iterator]() { seen.push(this); yield signal; yield fake; } }, [new Proxy(signal, {})], [null], 5, [{ get aborted() { throw t.context; } }]]) await t.try('any', () => Signal.any(input));
  for (const ms of [0, { valueOf: () => 1 }, NaN, -1, 1n]) await t.try('timeout', () => Signal.timeout(ms));
  await t.try('new', () => new Signal());
  for (let level = signal; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) for (const key of Reflect.ownKeys(level)) {
    const found = Reflect.getOwnPropertyDescriptor(level, key);
    for (const method of [found.value, found.get, found.set]) if (typeof method === 'function') for (const self of [{}, fake]) await t.try(String(key), () => Reflect.apply(method, self, [{ handleEvent() { seen.push(this); } }]));
  }
  if (Controller) {
    const controller = new Controller();
    let depth = 0;
    const listener = { get handleEvent() { return function (event) { seen.push(this, event, event?.target, event?.currentTarget, event?.composedPath?.(), arguments); if (depth++ < 20) { try { controller.abort(t.context); controller.signal.dispatchEvent(event); } catch (error) { seen.push(error); } controller.signal.onabort = listener.handleEvent; } throw { get message() { seen.push(this); return t.sdk; } }; }; } };
    controller.signal.addEventListener('abort', listener, { once: true, signal: fake, get capture() { seen.push(this); return true; } });
    controller.signal.addEventListener('abort', new Proxy(function () { seen.push(this, ...arguments); }, { apply(target, self, args) { seen.push(self, args); return Reflect.apply(target, self, args); } }));
    controller.signal.onabort = new Proxy(() => {}, {});
    await t.try('abort', () => controller.abort({ get name() { seen.push(this); throw t.module; }, toString: null }));
    await t.try('throwIfAborted', () => controller.signal.throwIfAborted());
    for (const symbol of Object.getOwnPropertySymbols(Signal.prototype)) await t.try(String(symbol), () => signal[symbol]?.call?.(signal, t.sdk));
  }
  await t.wait(5);
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 30);
}
