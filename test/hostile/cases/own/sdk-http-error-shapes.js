// desc: HttpError and what the kernel takes for one: getters, proxies, cycles of causes, headers that count who reads them; thrown out of a handler
// class: sdk
// flags:
// fires: the error's class, and whatever reads it, are the host's
async (t) => {
  const { HttpError } = t.sdk;
  const readers = [];
  const trap = (name) => ({ get: function get(target, key, receiver) { readers.push(receiver); try { readers.push(get.caller, arguments); } catch (error) { readers.push(error); } return key === 'status' ? 418 : target[key]; }, has: () => true, ownKeys: (target) => Reflect.ownKeys(target), getPrototypeOf: () => { readers.push(name); return HttpError.prototype; } });
  const circle = new HttpError(404, 'x', { headers: { 'x-a': 'b' } });
  Object.defineProperty(circle, 'cause', { get() { readers.push(this); return circle; } });
  const throwers = [
    () => { throw circle; },
    () => { throw new Proxy(new HttpError(500, 'p'), trap('proxy')); },
    () => { throw new (class extends HttpError { get headers() { readers.push(this); return new Proxy({}, { ownKeys: () => ['a', '__proto__', 'constructor'], getOwnPropertyDescriptor: () => ({ value: { toString: () => { throw readers; } }, enumerable: true, configurable: true }) }); } set headers(_) {} })(400, 'x'); },
    () => { throw { [Symbol.for('plexichat.http-error')]: true, status: { valueOf: () => 404 }, message: { slice: (...args) => { readers.push(args); return {}; }, length: 1 }, headers: { x: Symbol('x') } }; },
    () => { throw { [Symbol.for('plexichat.http-error')]: true, get status() { throw t.context; } }; },
    () => { throw Object.create(HttpError.prototype); },
  ];
  for (const run of throwers) {
    t.api.handle('cb', run);
    await t.try('cb', () => t.api.rpc('callMeBack', 1));
  }
  for (const args of [[404], [{}, {}], [404, { toString: () => { throw readers; } }, null], [NaN, 'x', { get cause() { return t.sdk; } }], [404, 'x', new Proxy({}, trap('options'))]]) await t.try('new', () => new HttpError(...args));
  for (const value of readers.slice(0, 120)) t.probe(value, 'reader', 30);
}
