import vm from 'node:vm';
import { expect, it } from 'vitest';
import { bundleForGuest, createSealedContext } from '../support/web-realm.ts';

async function createRealm(): Promise<(code: string) => unknown> {
  const context = createSealedContext();
  vm.runInContext(await bundleForGuest(`import './runtime/guest/clock.ts';`), context);
  return (code) => vm.runInContext(code, context);
}

it('Temporal.Now counts whole milliseconds', async () => {
  const run = await createRealm();
  expect(run('Temporal.Now.instant().epochNanoseconds % 1000000n')).toBe(0n);
  for (const method of ['zonedDateTimeISO', 'plainDateTimeISO', 'plainTimeISO']) {
    expect(run(`const of${method} = Temporal.Now.${method}(); of${method}.microsecond + of${method}.nanosecond`)).toBe(
      0,
    );
  }
});

it('Temporal.Now tells the time of Date, in the zone that was asked for', async () => {
  const run = await createRealm();
  const apart = run('Math.abs(Temporal.Now.instant().epochMilliseconds - Date.now())');
  expect(apart).toBeLessThan(1_000);
  expect(run(`Temporal.Now.zonedDateTimeISO('Asia/Tokyo').offset`)).toBe('+09:00');
  expect(run(`Temporal.Now.plainDateISO() instanceof Temporal.PlainDate`)).toBe(true);
  expect(
    run(`Temporal.Now.plainDateTimeISO('UTC').toString().slice(0, 13) === new Date().toISOString().slice(0, 13)`),
  ).toBe(true);
  expect(run('typeof Temporal.Now.timeZoneId()')).toBe('string');
  expect(() => run(`Temporal.Now.instant.constructor('return 1')()`)).toThrow('Code generation');
});
