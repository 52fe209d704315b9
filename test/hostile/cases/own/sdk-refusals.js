// desc: The errors that host calls end with: their classes made anew with inherited names as codes, their causes, their rejected promises
// class: sdk
// flags:
// fires: a refusal is an error of the host
async (t) => {
  const errors = [];
  for (const call of [() => t.module.http.fetch('https://example.com/'), () => t.sdk.getUserTier('nobody'), () => t.module.getUserTier({ toJSON: () => 1n }), () => t.sdk.checkPermissions('nobody', ['x']), () => t.module.tasks.enqueue('x', {}), () => t.module.tasks.enqueue('x', { get a() { throw t.context; } }), () => t.api.rpc('failSync'), () => t.api.rpc('failAsync'), () => t.api.rpc('__proto__'), () => t.api.rpc('constructor', 'constructor')]) {
    try { t.probe(await Promise.race([call(), t.wait(100)]), 'value'); } catch (error) { errors.push(error); }
  }
  for (const error of errors) {
    t.probe(error, 'error');
    if (!t.isObj(error)) continue;
    for (const name of ['cause', 'stack', 'errors', 'headers', 'status']) t.probe(error[name], name);
    if (/SECRET|\.mjs|node:|\/runtime\//.test(String(error.message) + String(error.stack))) t.lvl(1, 'tells of the host: ' + error.message);
    for (const code of ['__proto__', 'constructor', 'toString', 'NOT_FOUND', Symbol('x'), {}]) await t.try('new', () => new error.constructor(code, 'x', { cause: t.sdk, headers: t.context.params }));
  }
}
