// desc: Clocks finer than a millisecond: Temporal.Now, performance, timestamps of events, Intl
// class: engine
// flags:
// fires: V8's Temporal.Now counts microseconds
async (t) => {
  const clocks = { date: () => Date.now() };
  if (typeof Temporal !== 'undefined') {
    for (const key of Reflect.ownKeys(Temporal.Now)) if (typeof key === 'string') t.probe(Temporal.Now[key], key);
    clocks.instant = () => Number(Temporal.Now.instant().epochNanoseconds % 10n ** 15n) / 1e6;
    clocks.zoned = () => Number(Temporal.Now.zonedDateTimeISO('UTC').epochNanoseconds % 10n ** 15n) / 1e6;
    clocks.plain = () => { const time = Temporal.Now.plainTimeISO('UTC'); return time.millisecond + time.microsecond / 1e3 + time.nanosecond / 1e6; };
    clocks.dateTime = () => { const time = Temporal.Now.plainDateTimeISO('UTC'); return time.millisecond + time.microsecond / 1e3 + time.nanosecond / 1e6; };
  }
  if (typeof performance !== 'undefined') clocks.performance = () => performance.now();
  if (typeof Event !== 'undefined') clocks.event = () => new Event('x').timeStamp;
  for (const [name, read] of Object.entries(clocks)) {
    let step = Infinity;
    let last = read();
    for (let count = 0; count < 3000; count++) {
      const now = read();
      if (now > last) step = Math.min(step, now - last);
      last = now;
    }
    if (step < 0.9) t.lvl(1, name + ' steps by ' + step + ' ms');
  }
}
