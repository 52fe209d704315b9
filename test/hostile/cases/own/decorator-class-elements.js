// desc: Class fields, static blocks, accessors, private names and super on the sdk's classes, run while they are half made
// class: decorator
// flags:
// fires: super leads to what the host's classes have
async (t) => {
  const seen = [];
  const makers = [
    () => class extends t.sdk.BaseModule { static { seen.push(this, super.constructor, super.prototype); } static field = seen.push(super.toString, this); field = seen.push(this, super.config); },
    () => class extends t.sdk.HttpError { #own = seen.push(this); static { seen.push(Object.getPrototypeOf(this)); } get name() { seen.push(this); return 'x'; } static has(value) { return #own in value; } constructor(...args) { super(...args); seen.push(super.message, new.target); } },
    () => class extends t.context.constructor { static #hidden = 1; static { try { seen.push(t.context.#hidden); } catch (error) { seen.push(error); } } get request() { seen.push(this); return super.request; } constructor() { super({ headers: [], url: 'http://a.test/', method: 'GET' }, { kind: 'none' }, t.module); } },
    () => class extends (class { constructor() { return t.module; } }) { #stamp = 1; static read(value) { return value.#stamp; } set config(value) { seen.push(value); } },
    () => class extends null { static { seen.push(this); } },
    () => { const made = class extends t.context.json(1).constructor { static [Symbol.hasInstance](value) { seen.push(value); return true; } accessor = 1; ['constructor'] = t.sdk; constructor() { super('x'); seen.push(super.body, super.headers); } }; return made; },
    () => class extends t.module.constructor { static name = 'x'; static [Symbol.species] = t.sdk; setupRoutes() { seen.push(super.setupRoutes, this); } },
  ];
  for (const make of makers) {
    const Class = await t.try('class', make);
    if (typeof Class !== 'function') continue;
    for (const args of [[404, 'x'], [], [t.context]]) {
      const made = await t.try('new', () => new Class(...args));
      if (t.isObj(made)) { await t.try('has', () => Class.has?.(made)); await t.try('read', () => Class.read?.(made)); for (const key of ['request', 'name', 'body', 'config']) await t.try(key, () => made[key]); }
    }
    for (const key of Reflect.ownKeys(Class)) t.probe(Reflect.getOwnPropertyDescriptor(Class, key).value, String(key), 30);
  }
  for (const value of seen.slice(0, 150)) t.probe(value, 'seen', 30);
}
