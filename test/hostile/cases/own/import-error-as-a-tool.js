// desc: The error of import() as a way to the outer Error: its captureStackTrace, the call sites it hands to our own prepareStackTrace, its stacks
// class: error
// flags:
// fires: import() works, and what it loads is the host's
async (t) => {
  let outer;
  try {
    t.probe(await import('node:nothing'), 'loaded');
  } catch (error) {
    outer = error;
  }
  if (!t.foreign(outer)) return;
  t.probe(outer, 'outer', 2000);
  let OuterError = outer.constructor;
  for (let level = Object.getPrototypeOf(outer); level; level = Object.getPrototypeOf(level)) {
    const found = Object.getOwnPropertyDescriptor(level, 'constructor');
    if (found && typeof found.value === 'function' && typeof found.value.captureStackTrace === 'function') OuterError = found.value;
  }
  const sites = [];
  Error.prepareStackTrace = (error, trace) => {
    for (const site of trace) sites.push(site);
    sites.push(trace);
    return 'prepared';
  };
  const look = () => {
    const target = {};
    if (typeof OuterError.captureStackTrace === 'function') OuterError.captureStackTrace(target);
    t.probe(target.stack, 'stack of ours');
    const made = new OuterError('x');
    t.probe(made.stack, 'stack of theirs');
    if (/node:|\.js:/.test(String(made.stack))) t.lvl(1, 'paths: ' + made.stack);
  };
  look();
  await new Promise((resolve) => setTimeout(() => { look(); resolve(); }, 1));
  await new Promise((resolve) => Promise.resolve({ get then() { look(); resolve(); return undefined; } }));
  [1].map(look);
  for (const site of sites) {
    t.probe(site, 'site', 100);
    for (const method of ['getThis', 'getFunction', 'getFileName', 'getEvalOrigin', 'getFunctionName']) {
      if (typeof site[method] !== 'function') continue;
      const value = site[method]();
      if (t.isObj(value)) t.probe(value, 'site.' + method, 200);
      if (typeof value === 'string' && /node:|\//.test(value)) t.lvl(1, method + ' ' + value);
    }
  }
  for (const name of ['prepareStackTrace', 'stackTraceLimit']) {
    try {
      OuterError[name] = name === 'stackTraceLimit' ? 100 : () => { t.lvl(2, 'the outer realm calls us'); };
      if (Object.getOwnPropertyDescriptor(OuterError, name)?.writable) t.lvl(2, 'the outer Error can be changed: ' + name);
    } catch (error) {
      t.probe(error, 'frozen');
    }
  }
}
