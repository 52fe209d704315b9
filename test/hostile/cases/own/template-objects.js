// desc: Tagged template objects, one per place: are they of this realm, frozen, never shared, whatever is done with them on the way to the host?
// class: template
// flags:
// fires: tags that are functions of the host get them, and give objects of the host
async (t) => {
  const tag = (strings, ...values) => { t.probe(strings, 'strings'); t.probe(strings.raw, 'raw'); return strings; };
  const site = () => tag`a${1}b${t.module}c\u{41}`;
  const first = site();
  const again = await (async () => site())();
  if (first !== again) t.lvl(1, 'a template has two objects');
  const other = (function* () { yield tag`a${1}b${2}c\u{41}`; })().next().value;
  if (other === first) t.lvl(2, 'two places share an object');
  for (const target of [first, first.raw]) {
    for (const run of [() => { 'use strict'; target[0] = t.sdk; }, () => Object.defineProperty(target, 'raw', { value: t.sdk }), () => Object.setPrototypeOf(target, t.context), () => target.push(1), () => Object.defineProperty(target, 'length', { value: 0 })]) await t.try('change', run);
  }
  for (const run of [() => t.sdk.sanitizeInput`x${t.context}y`, () => t.api.rpc`echo${first}`, () => t.module.logger.info`x${{ toString: () => t.sdk }}`, () => t.module.http.fetch`https://example.com/${1}`, () => t.sdk.getUserTier`nobody`, () => t.module.router.get`/x${() => {}}`, () => new t.sdk.HttpError`x`, () => t.context.json`x${200}`, () => setTimeout`x`, () => String.raw({ raw: new Proxy(first.raw, { get(target, key) { t.probe(key, 'key'); return key === 'length' ? 3 : target[key]; } }) }, t.context), () => String.raw({ raw: { length: 2, get 0() { t.probe(this, 'this'); return t.sdk; } } }), () => tag.bind`x`, () => Reflect.apply`x`, () => (async () => {})`x`]) await Promise.race([t.try('tag', run), t.wait(30)]);
  t.probe(await t.try('echo', () => t.api.rpc('echo', first)), 'echo');
}
