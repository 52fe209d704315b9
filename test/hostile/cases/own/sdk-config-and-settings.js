// desc: The module's config: is it all of this realm, frozen to the ground, and free of secrets and paths of the host?
// class: sdk
// flags:
// fires: the config is an object of the host
async (t) => {
  const { config } = t.module;
  t.probe(config, 'config', 800);
  const seen = new Set();
  const walk = (value, path) => {
    if (typeof value === 'string' && /^\/(?!api\/)|ENV-CANARY|FILE-CANARY|node:/.test(value)) t.lvl(1, path + ' tells ' + value);
    if (!t.isObj(value) || seen.has(value)) return;
    seen.add(value);
    if (!Object.isFrozen(value)) t.lvl(1, path + ' is not frozen');
    for (const key of Reflect.ownKeys(value)) walk(Reflect.getOwnPropertyDescriptor(value, key).value, path + '.' + String(key));
  };
  walk(config, 'config');
  for (const key of ['settings', 'api', '__proto__', 'constructor']) {
    await t.try('set', () => { 'use strict'; config[key] = t.sdk; });
    await t.try('define', () => Object.defineProperty(config, key, { value: 1 }));
  }
  await t.try('prototype', () => Object.setPrototypeOf(config, t.module));
}
