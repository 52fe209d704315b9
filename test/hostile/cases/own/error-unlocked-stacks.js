// desc: Other ways to a stack trace than a limit on Error: subclasses with limits and formatters, descriptors, prototypes of Error, another Error in its place
// class: error
// flags:
// fires: call sites lead to functions and receivers of the host
async (t) => {
  const seen = [];
  const format = (error, sites) => { seen.push(error, sites); for (const site of Array.isArray(sites) ? sites : []) for (const name of ['getThis', 'getFunction', 'getEvalOrigin', 'getFileName', 'getScriptNameOrSourceURL']) try { const got = site[name]?.(); seen.push(got); if (typeof got === 'string' && /node:|\/runtime\//.test(got)) t.lvl(1, 'a frame of the host: ' + got); } catch (failure) { seen.push(failure); } return { sites }; };
  class Own extends Error { static stackTraceLimit = 50; static prepareStackTrace = format; }
  const undo = [];
  for (const run of [() => Object.defineProperty(Error, 'stackTraceLimit', { value: 50 }), () => { Error.stackTraceLimit = 50; }, () => { 'use strict'; Reflect.set(Error, 'stackTraceLimit', 50); }, () => Object.setPrototypeOf(Error, { stackTraceLimit: 50, prepareStackTrace: format }), () => { Error.prepareStackTrace = format; }, () => Object.defineProperty(Error.prototype, 'stack', { configurable: true, get() { seen.push(this); return format(this); }, set(value) { seen.push(value); } }), () => Object.defineProperty(Object.prototype, 'prepareStackTrace', { value: format, configurable: true, writable: true }), () => Object.defineProperty(Function.prototype, 'stackTraceLimit', { value: 50, configurable: true, writable: true }), () => { globalThis.Error = Own; }]) {
    const errorNow = globalThis.Error;
    try { run(); } catch (error) { seen.push(error); }
    for (const make of [() => new Own('x'), () => new TypeError('x'), () => { const target = {}; (Own.captureStackTrace ?? (() => {}))(target); return target; }, () => { try { null.x; } catch (error) { return error; } }, () => new Intl.NumberFormat('en', { style: 'none' }), () => t.sdk.cacheResult({ ttl: -1 }), () => new t.sdk.HttpError(1, 'x'), () => globalThis.structuredClone?.(() => {}), () => (function overflow() { return overflow() + 1; })()]) { let made; try { made = make(); } catch (error) { made = error; } try { seen.push(made, made?.stack); } catch (error) { seen.push(error); } }
    globalThis.Error = errorNow;
  }
  try { delete Object.prototype.prepareStackTrace; delete Function.prototype.stackTraceLimit; delete Error.prototype.stack; delete Error.prepareStackTrace; Object.setPrototypeOf(Error, Function.prototype); } catch (error) { seen.push(error); }
  await t.try('echo', () => t.api.rpc('failAsync'));
  for (const value of seen.slice(0, 250)) t.probe(value, 'seen', 25);
}
