// desc: Intl / Temporal / Date / RegExp statics objects and callbacks realm
// class: async
// flags:
async (t) => {
  for (const f of [
    () => new Intl.NumberFormat('en'),
    () => Intl.NumberFormat().format,
    () => new Intl.DateTimeFormat().resolvedOptions(),
    () => new Intl.Segmenter('en').segment('a b')[Symbol.iterator](),
    () => Temporal.Now.instant(),
    () => Temporal.PlainDate.from({ year: 2020, month: 1, day: 1 }),
    () => new Date().toLocaleString(),
    () => ('abc'.match(/b/), RegExp['$`']),
    () =>
      'a'.replace(/a/g, function () {
        return arguments.length;
      }),
    () =>
      Intl.getCanonicalLocales({
        length: 1,
        get 0() {
          return 'en';
        },
      }),
  ])
    await t.try('i', f);
}
