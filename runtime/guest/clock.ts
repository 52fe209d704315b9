/**
 * Boundary: Temporal.Now in steps of 1 ms, like Date and performance: V8's counts microseconds, and a fine clock is a
 * tool for timing attacks on neighbours. Runs when the kernel loads, before anybody waits for a module.
 */
// A Node may be built without it.
if (typeof Temporal !== 'undefined') coarsen(Temporal);

function coarsen({ Now, Instant }: typeof Temporal): void {
  const { timeZoneId } = Now;
  const { now } = Date;
  const zoned = (zone: Temporal.TimeZoneLike = timeZoneId()): Temporal.ZonedDateTime =>
    Instant.fromEpochMilliseconds(now()).toZonedDateTimeISO(zone);
  const coarse = {
    instant: () => Instant.fromEpochMilliseconds(now()),
    zonedDateTimeISO: (zone?: Temporal.TimeZoneLike) => zoned(zone),
    plainDateTimeISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: Temporal.TimeZoneLike) => zoned(zone).toPlainTime(),
  };
  for (const [name, value] of Object.entries(coarse)) {
    Object.defineProperty(Now, name, { value, writable: true, configurable: true, enumerable: false });
  }
}

export {};
