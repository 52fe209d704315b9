// desc: using, DisposableStack and AsyncDisposableStack over what the kernel gives, with dispose methods on the prototypes of everything
// class: error
// flags:
// fires: what is disposed of, and the errors that are suppressed, are the host's
async (t) => {
  const seen = [];
  const hook = function () { seen.push(this, arguments); throw t.context; };
  const owners = [Object.prototype, Promise.prototype, Function.prototype];
  for (const owner of owners) for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) Object.defineProperty(owner, symbol, { value: hook, configurable: true, writable: true });
  try {
    try { using call = t.api.rpc('echo', 1); using context = t.context; using sdk = t.sdk; seen.push(call, context, sdk); } catch (error) { seen.push(error); }
    try { await using call = t.api.rpc('failAsync'); await using http = t.module.http; seen.push(call, http); } catch (error) { seen.push(error); }
    const stack = new DisposableStack();
    for (const value of [t.module, t.context, t.sdk.BaseModule]) try { stack.use(value); stack.adopt(value, (...args) => { seen.push(...args); throw value; }); stack.defer(hook); } catch (error) { seen.push(error); }
    try { stack.move().dispose(); } catch (error) { for (let inner = error, steps = 0; t.isObj(inner) && steps < 20; inner = inner.suppressed, steps++) seen.push(inner, inner.error); }
    const later = new AsyncDisposableStack();
    try { later.use({ [Symbol.asyncDispose]: () => t.api.rpc('echo', 2) }); later.adopt(1, () => t.api.rpc('failSync')); await Promise.race([later.disposeAsync(), t.wait(50)]); } catch (error) { seen.push(error); }
  } catch (error) { seen.push(error); }
  for (const owner of owners) for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) if (Object.hasOwn(owner, symbol)) delete owner[symbol];
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 30);
}
