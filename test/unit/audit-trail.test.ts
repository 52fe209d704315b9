import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AuditTrail, type AuditTrailOptions } from '../../runtime/state/audit-trail.ts';
import { type MemoryState, openMemoryState } from '../support/memory-state.ts';

function open(limits: AuditTrailOptions['limits'] = {}, state: MemoryState = openMemoryState()) {
  const clock = { now: 1_000_000 };
  const failures: unknown[] = [];
  const trail = new AuditTrail({
    state,
    onFailure: (error) => void failures.push(error),
    now: () => clock.now,
    limits,
  });
  const act = (module: string, operator = 'olga') =>
    trail.begin({ action: 'module.stop', operator, module, details: {} });
  const note = (module: string, to = 'running') =>
    trail.note({ action: 'module.state', module, details: { to } }, 'done');
  return { trail, state, clock, failures, act, note };
}

it('what is about to be done is on the disk before, and what came of it after', async () => {
  const { trail, act } = open();
  const id = await act('weather');
  expect(await trail.list({ limit: 9 })).toMatchObject([
    { id, outcome: 'started', operator: 'olga', source: 'operator' },
  ]);
  await trail.end(id, { outcome: 'done', details: { run: 'r1' } });
  expect(await trail.list({ limit: 9 })).toEqual([
    {
      id,
      at: 1_000_000,
      action: 'module.stop',
      operator: 'olga',
      module: 'weather',
      source: 'operator',
      outcome: 'done',
      details: { run: 'r1' },
    },
  ]);
});

it('nothing begins while the state is away, and an outcome that could not be written comes later', async () => {
  const { trail, state, act, note, failures } = open();
  const id = await act('weather');
  state.isAway = true;
  await expect(act('mail')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  await expect(trail.end(id, { outcome: 'done', details: {} })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  await expect(trail.write({ action: 'console.login', operator: 'olga', details: {} }, 'done')).rejects.toMatchObject({
    code: 'STATE_UNAVAILABLE',
  });
  note('weather');
  await trail.list({ limit: 9 }).catch(() => {});
  await trail.list({ limit: 9 }).catch(() => {});
  expect(failures).toHaveLength(1);
  state.isAway = false;
  expect((await trail.list({ limit: 9 })).map(({ action, outcome }) => [action, outcome])).toEqual([
    ['module.state', 'done'],
    ['module.stop', 'done'],
  ]);
});

it('what only came to be known at the end is a row of its module, and nothing takes a module away', async () => {
  const { trail, act } = open();
  const id = await trail.begin({ action: 'module.install', operator: 'olga', details: {} });
  await trail.end(id, { outcome: 'done', details: { version: '1.0.0' }, module: 'weather' });
  const stop = await act('weather');
  await trail.end(stop, { outcome: 'done', details: {} });
  const rows = await trail.list({ module: 'weather', limit: 9 });
  expect(rows.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['module.stop', 'done'],
    ['module.install', 'done'],
  ]);
});

it('what was done while the state was away is written once it is back, with what came of it', async () => {
  const { trail, state, clock, failures } = open();
  const late = (operator: string) => trail.beginLate({ action: 'token.revoke', operator, details: { token: 't' } });
  state.isAway = true;
  const [first, second] = [late('olga'), late('rita')];
  first({ outcome: 'done', details: { token: 't1' }, module: 'weather' });
  await trail.list({ limit: 9 }).catch(() => {});
  clock.now += 60_000;
  state.isAway = false;
  expect(await trail.list({ limit: 9 })).toMatchObject([
    { operator: 'rita', outcome: 'started', source: 'operator', at: 1_000_000 },
    { operator: 'olga', outcome: 'done', module: 'weather', details: { token: 't1' }, at: 1_000_000 },
  ]);
  second({ outcome: 'NOT_FOUND', details: {} });
  expect((await trail.list({ limit: 9 })).map(({ outcome }) => outcome)).toEqual(['NOT_FOUND', 'done']);
  expect(failures).toHaveLength(1);
});

it('what ends while it is being written keeps its end', async () => {
  const { trail, state } = open();
  const end = trail.beginLate({ action: 'token.revoke', operator: 'olga', details: {} });
  const { run } = state;
  state.run = async (statements) => {
    const results = await run(statements);
    end({ outcome: 'done', details: {} });
    return results;
  };
  await trail.list({ limit: 9 });
  expect(await trail.list({ limit: 9 })).toMatchObject([{ outcome: 'done' }]);
});

it('a state that is away for long costs bounded memory', async () => {
  const { trail, state } = open();
  state.isAway = true;
  for (let count = 0; count < 3_000; count++)
    trail.beginLate({ action: 'token.revoke', operator: 'olga', details: { count } })({ outcome: 'done', details: {} });
  await trail.list({ limit: 9 }).catch(() => {});
  state.isAway = false;
  await trail.close();
  expect(await trail.list({ limit: 9_999 })).toHaveLength(1_000);
});

it('is asked by module, by operator, and page by page', async () => {
  const { trail, act, note } = open();
  for (const [module, operator] of [
    ['weather', 'olga'],
    ['mail', 'olga'],
    ['weather', 'rita'],
  ] as const)
    await act(module, operator);
  note('weather');
  const of = async (query: object) =>
    (await trail.list({ limit: 9, ...query })).map(({ module, operator }) => `${module} ${operator}`);
  expect(await of({ module: 'weather' })).toEqual(['weather undefined', 'weather rita', 'weather olga']);
  expect(await of({ operator: 'olga' })).toEqual(['mail olga', 'weather olga']);
  expect(await of({ operator: 'olga', module: 'mail' })).toEqual(['mail olga']);
  const [newest] = await trail.list({ limit: 1 });
  expect(await of({ before: newest?.id })).toEqual(['weather rita', 'mail olga', 'weather olga']);
});

it('what modules do costs so many rows a minute, and never the place of what operators did', async () => {
  const { trail, clock, act, note } = open({ perMinute: 5, perModule: 8, total: 10 });
  await act('weather');
  for (let minute = 0; minute < 10; minute++) {
    for (let change = 0; change < 1_000; change++) note('weather');
    note('mail');
    await trail.list({ limit: 1 });
    clock.now += 61_000;
  }
  await trail.close();
  const rows = await trail.list({ limit: 999 });
  expect(rows.filter(({ source }) => source === 'operator')).toHaveLength(1);
  expect(rows.filter(({ module, source }) => module === 'weather' && source === 'host')).toHaveLength(8);
  expect(rows.find(({ action }) => action === 'more')?.details).toMatchObject({ more: 995 });
});

it('is bounded by count and by age, and whoever signs himself as the host is no host', async () => {
  const { trail, clock, act, note } = open({ total: 20, keepMs: 10_000_000 });
  note('weather');
  for (let action = 0; action < 3_000; action++) await act('weather', 'host');
  const rows = await trail.list({ limit: 99_999 });
  expect(rows.filter(({ source }) => source === 'operator').length).toBeLessThanOrEqual(20 + 1_000);
  expect(rows.filter(({ source }) => source === 'host')).toHaveLength(1);
  clock.now += 20_000_000;
  await act('weather');
  expect(await trail.list({ limit: 99 })).toHaveLength(1);
});

it('two hosts with one state do not lose an entry to the same id', async () => {
  const state = openMemoryState();
  const hosts = [open({}, state), open({}, state)];
  await Promise.all(hosts.flatMap(({ act }) => Array.from({ length: 400 }, () => act('weather'))));
  expect(await hosts[0]?.trail.list({ limit: 9_999 })).toHaveLength(800);
});

it('keeps the order when the clock was set back', async () => {
  const first = open();
  await first.act('a');
  const second = open({}, first.state);
  second.clock.now -= 500_000;
  await second.act('b');
  second.note('c');
  expect((await second.trail.list({ limit: 9 })).map(({ module }) => module)).toEqual(['c', 'b', 'a']);
});

it('takes any words, cut and whole', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('\0', '\ud800', "'; DROP TABLE audit; --", 'x'.repeat(100_000), '__proto__'),
  );
  const { trail } = open({ perMinute: 1_000 });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (operator, module, reason) => {
      const id = await trail.begin({
        action: 'module.stop',
        operator,
        module,
        details: { reason, list: [reason], not: undefined },
      });
      await trail.end(id, { outcome: 'done', details: { reason } });
      trail.note({ action: 'module.state', module, details: { reasons: [reason] } }, 'done');
      const rows = await trail.list({ limit: 2 });
      expect(rows.map(({ source }) => source)).toEqual(['host', 'operator']);
      for (const row of rows) expect(JSON.stringify(row).isWellFormed()).toBe(true);
      expect(rows[1]?.operator?.length).toBeLessThanOrEqual(256);
    }),
    { numRuns: 40 },
  );
});
