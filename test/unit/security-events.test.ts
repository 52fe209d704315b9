import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SecurityEvent } from '../../runtime/state/security-event.ts';
import { SecurityEvents, type SecurityEventsOptions } from '../../runtime/state/security-events.ts';
import { openMemoryState } from '../support/memory-state.ts';

function open(limits: SecurityEventsOptions['limits'] = {}, state = openMemoryState()) {
  const clock = { now: 1_000_000 };
  const told: SecurityEvent[] = [];
  const failures: unknown[] = [];
  const events = new SecurityEvents({
    state,
    limits,
    now: () => clock.now,
    onEvent: (event) => void told.push(event),
    onFailure: (error) => void failures.push(error),
  });
  const deny = (details: string, module = 'weather') =>
    events.record(module, { kind: 'permission_denied', name: 'users:read', details });
  return { events, state, clock, told, failures, deny };
}

it('are kept, newest first, by module, page by page', async () => {
  const { events, clock, deny } = open();
  for (const details of ['a', 'b', 'c', 'd']) {
    clock.now += 1_000;
    deny(details);
  }
  deny('e', 'mail');
  const first = await events.list({ module: 'weather', limit: 3 });
  expect(first.map(({ details }) => details)).toEqual(['d', 'c', 'b']);
  const rest = await events.list({ module: 'weather', limit: 3, before: first.at(-1)?.id });
  expect(rest.map(({ details }) => details)).toEqual(['a']);
  expect((await events.list({ limit: 9 })).map(({ module }) => module)).toEqual(['mail', ...Array(4).fill('weather')]);
  expect(first[0]).toMatchObject({
    at: 1_004_000,
    module: 'weather',
    kind: 'permission_denied',
    name: 'users:read',
    count: 1,
  });
});

it('the same many times in a moment is one row that counts, and one line in the log', async () => {
  const { events, told, deny } = open();
  for (let time = 0; time < 100_000; time++) deny('again');
  expect(await events.list({ limit: 9 })).toEqual([expect.objectContaining({ details: 'again', count: 100_000 })]);
  expect(told).toHaveLength(1);
});

it('a module that floods costs so many rows a minute and kind; the rest is counted', async () => {
  const { events, clock, told, deny } = open({ perMinute: 5 });
  for (let time = 0; time < 1_000; time++) deny(`flood ${time}`);
  deny('quiet', 'mail');
  events.record('weather', { kind: 'egress_denied', name: 'http', details: 'another kind' });
  expect(await events.list({ module: 'weather', limit: 99 })).toHaveLength(6);
  expect(await events.list({ module: 'mail', limit: 99 })).toHaveLength(1);
  clock.now += 60_000;
  deny('a minute later');
  const after = await events.list({ module: 'weather', limit: 99 });
  expect(after).toHaveLength(8);
  expect(after.find(({ name }) => name === 'more')).toMatchObject({ kind: 'permission_denied', count: 995 });
  expect(told).toHaveLength(9);
});

it('what was counted is written at the end', async () => {
  const { events, state, deny } = open({ perMinute: 1 });
  for (let time = 0; time < 10; time++) deny(`flood ${time}`);
  await events.close();
  const [row] = await state.query("SELECT count FROM security_events WHERE name = 'more'");
  expect(row?.count).toBe(9);
});

it('are bounded by count for a module and for all, and by age', async () => {
  const { events, state, clock, deny } = open({ perKind: 3, firstOfKind: 1, total: 4, keepMs: 10_000 });
  for (let time = 0; time < 8; time++) deny(`w${time}`);
  for (let time = 0; time < 8; time++) deny(`m${time}`, 'mail');
  expect((await events.list({ module: 'weather', limit: 99 })).map(({ details }) => details)).toEqual([
    'w7',
    'w6',
    'w0',
  ]);
  clock.now += 2 * 60 * 60 * 1000;
  deny('new');
  await events.list({ limit: 99 });
  const rows = await state.query('SELECT details FROM security_events');
  expect(rows).toEqual([{ details: 'new' }]);
});

it('of the host itself are not pushed out by what the module reports, nor by another kind, however long it goes on', async () => {
  const { events, clock, deny } = open();
  deny('Reading /etc/shadow');
  events.record('weather', { kind: 'egress_denied', name: 'http', details: 'it needs http:exfil.example' });
  for (let minute = 0; minute < 60; minute++) {
    for (let row = 0; row < 21; row++) {
      events.record('weather', { kind: 'reported', name: 'noise', details: `${minute}.${row}` });
      events.record('weather', { kind: 'bridge_violation', name: 'bridge', details: `${minute}.${row}` });
    }
    await events.list({ limit: 1 });
    clock.now += 60_001;
  }
  const kept = await events.list({ module: 'weather', limit: 9_999 });
  expect(kept.slice(-2).map(({ kind }) => kind)).toEqual(['egress_denied', 'permission_denied']);
  expect(kept).toHaveLength(2 + 2 * 500);
});

it('of one kind keep how it began, and what came last', async () => {
  const { events, deny } = open({ perMinute: 100, perKind: 10, firstOfKind: 4 });
  for (let row = 0; row < 60; row++) {
    deny(`${row}`);
    if (row % 7 === 0) await events.list({ limit: 1 });
  }
  const kept = await events.list({ limit: 99 });
  expect(kept.map(({ details }) => Number(details))).toEqual([59, 58, 57, 56, 55, 54, 3, 2, 1, 0]);
});

it('of a quiet module stay when fifty others fill the room that all have together', async () => {
  const limits = { perMinute: 100, perKind: 20, firstOfKind: 5, total: 200, totalReported: 100 };
  const { events, state, clock, deny } = open(limits);
  const report = (module: string, details: string) => events.record(module, { kind: 'reported', name: 'n', details });
  for (let row = 0; row < 3; row++) deny(`quiet ${row}`, 'quiet');
  report('quiet', 'said once');
  await events.list({ limit: 1 });
  for (let module = 0; module < 50; module++) {
    for (let row = 0; row < 30; row++) {
      deny(`${row}`, `noisy${module}`);
      report(`noisy${module}`, `${row}`);
    }
    await events.list({ limit: 1 });
  }
  clock.now += 2 * 60 * 60 * 1000;
  deny('an hour later', 'noisy0');
  const kept = await events.list({ module: 'quiet', limit: 99 });
  expect(kept.map(({ details }) => details)).toEqual(['said once', 'quiet 2', 'quiet 1', 'quiet 0']);
  const counts = await state.query(
    "SELECT kind = 'reported' AS said, count(*) AS rows FROM security_events GROUP BY 1 ORDER BY 1",
  );
  expect(counts).toEqual([
    { said: 0, rows: 200 },
    { said: 1, rows: 100 },
  ]);
});

it('of a quiet module still get in while fifty others fill what waits for a state that is away', async () => {
  const { events, state, deny } = open({ perMinute: 200 });
  state.isAway = true;
  for (let module = 0; module < 50; module++)
    for (let row = 0; row < 150; row++)
      events.record(`noisy${module}`, { kind: 'reported', name: 'n', details: `${row}` });
  deny('quiet', 'quiet');
  await events.list({ limit: 1 }).catch(() => {});
  deny('quiet again', 'quiet');
  state.isAway = false;
  const kept = await events.list({ module: 'quiet', limit: 9 });
  expect(kept.map(({ details }) => details)).toEqual(['quiet again', 'quiet']);
  const [row] = await state.query('SELECT count(*) AS rows FROM security_events');
  expect(row?.rows).toBe(5_000);
});

it('wait for a state that is away, so many and no more', async () => {
  const { events, state, failures, deny } = open();
  state.isAway = true;
  deny('kept');
  await expect(events.list({ limit: 9 })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  expect(failures).toHaveLength(1);
  state.isAway = false;
  expect(await events.list({ limit: 9 })).toMatchObject([{ details: 'kept' }]);
});

it('keep their order when the clock was set back between two starts of the host', async () => {
  const { events, state, deny } = open();
  deny('first');
  await events.close();
  const later = open({}, state);
  later.clock.now -= 500_000;
  later.deny('second');
  later.deny('third');
  expect((await later.events.list({ limit: 9 })).map(({ details }) => details)).toEqual(['third', 'second', 'first']);
});

it('say once that they cannot be written, and drop what no state takes', async () => {
  const { events, state, failures, deny } = open();
  state.isAway = true;
  for (const details of ['a', 'b', 'c']) {
    deny(details);
    await events.list({ limit: 9 }).catch(() => {});
  }
  expect(failures).toHaveLength(1);
  state.isAway = false;
  expect(await events.list({ limit: 9 })).toHaveLength(3);
  await state.query('DROP TABLE security_events');
  deny('d');
  await events.close();
  await events.close();
  expect(failures).toHaveLength(2);
});

it('take any words of a module: cut, whole, and never as a fault of ours', async () => {
  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom('\0', '\ud800', "'; DROP TABLE security_events; --", 'x'.repeat(100_000), '__proto__'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(words, words), { maxLength: 20 }), async (reports) => {
      const { events, failures } = open();
      for (const [name, details] of reports) events.record('weather', { kind: 'reported', name, details });
      const kept = await events.list({ limit: 99 });
      expect(failures).toEqual([]);
      expect(kept.reduce((sum, { count }) => sum + count, 0)).toBe(reports.length);
      for (const { name, details } of kept) {
        expect([name.length <= 200, details.length <= 2_000, name.isWellFormed(), details.isWellFormed()]).toEqual(
          Array(4).fill(true),
        );
      }
    }),
    { numRuns: 50 },
  );
});
