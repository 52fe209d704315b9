// desc: Constructor chain from the injected API functions
// class: realm
// flags:
async (t) => {
  t.probe(t.api, 'api');
  for (const k of Reflect.ownKeys(t.api)) {
    const f = t.api[k];
    t.tryCtor(f.constructor, 'api.' + String(k));
    t.probe(f, String(k));
  }
}
