// desc: Option bags of Intl and Temporal that are the kernel's objects, or watch how they are read and what they are read on
// class: engine
// flags:
// fires: answers of the host as options hand out its objects
async (t) => {
  const seen = [];
  const bag = (fields) => new Proxy(fields, { get(target, key, receiver) { seen.push(key); return Reflect.get(target, key, target); }, has(target, key) { seen.push(key); return key in target; }, ownKeys(target) { return Reflect.ownKeys(target); } });
  const echoed = await t.try('echo', () => t.api.rpc('echo', { timeZone: 'UTC', style: 'unit', unit: 'byte', locales: ['en'], year: 2024, month: 1, day: 1 }));
  const bags = [bag({ style: 'currency', currency: 'EUR' }), t.context, t.module.config, echoed, bag({ get timeZone() { seen.push(this); return { toString() { seen.push(this); return 'UTC'; } }; }, get calendar() { seen.push(this); return Symbol('x'); } }), { __proto__: t.sdk, get localeMatcher() { seen.push(this); throw t.context; } }];
  for (const options of bags) {
    for (const name of Reflect.ownKeys(Intl)) { const Class = Intl[name]; if (typeof Class !== 'function' || !Class.prototype) continue; const made = await t.try(String(name), () => new Class(bag({ length: 1, 0: 'en' }), options)); await t.try('supported', () => Class.supportedLocalesOf?.(options, options)); if (t.isObj(made)) for (const key of Reflect.ownKeys(Class.prototype)) { let method; try { method = made[key]; } catch (error) { seen.push(error); } if (typeof method === 'function' && method !== Class) for (const args of [[options, options], ['x'], [1n]]) try { seen.push(Reflect.apply(method, made, args)); } catch (error) { if (seen.length < 400) seen.push(error); } } }
    if (typeof Temporal !== 'undefined') for (const name of ['PlainDate', 'PlainTime', 'PlainDateTime', 'ZonedDateTime', 'Duration', 'Instant', 'PlainYearMonth', 'PlainMonthDay']) for (const method of ['from', 'compare']) await t.try(name, () => Temporal[name][method]?.(options, options));
    for (const run of [() => (1).toLocaleString([], options), () => new Date(0).toLocaleString('en', options), () => [1, 2].toLocaleString('en', options), () => 'a'.localeCompare('b', 'en', options), () => 10n.toLocaleString('en', options)]) await t.try('locale', run);
  }
  for (const value of seen.slice(0, 200)) t.probe(value, 'seen', 15);
}
