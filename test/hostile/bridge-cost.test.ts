/**
 * Text that is short and takes long to read. The clock of the quota stands still, so that what a second allows is exact;
 * one test takes the time of the worst that is allowed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_QUOTA } from '../../runtime/bridge/quota.ts';
import { startCpuClock } from '../support/cpu-time.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

const SECOND = DEFAULT_QUOTA.bytesPerSecond;
const listOf = (count: number, make: (index: number) => string): string =>
  `[${Array.from({ length: count }, (_value, index) => make(index)).join(',')}]`;

/** Values of so many things, each slow to read in another way. */
const SLOW: readonly (readonly [name: string, make: (count: number) => string])[] = [
  ['objects of ever new shapes', (count) => listOf(count, (index) => `{"k${index}":1}`)],
  ['one object with ever new keys', (count) => `{${listOf(count, (index) => `"k${index}":1`).slice(1, -1)}}`],
  ['empty lists', (count) => listOf(count, () => '[]')],
  ['empty objects', (count) => listOf(count, () => '{}')],
  ['lists as deep as allowed', (count) => listOf(count / 60, () => '['.repeat(60) + ']'.repeat(60))],
  ['objects as deep as allowed', (count) => listOf(count / 60, () => `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`)],
  ['ever new short texts', (count) => listOf(count, (index) => `"${index.toString(36)}"`)],
  ['digits', (count) => listOf(count, () => '1')],
  ['numbers that are hard to read', (count) => listOf(count, () => '2.2250738585072011e-308')],
];

const asReply = (value: string): string => `[{"id":"x","type":"RAW","value":${value}}]`;

describe('one batch', () => {
  it.each(SLOW)('of nearly four million characters of %s is refused unparsed, or read in a moment', (_name, make) => {
    const head = asReply(make(Math.floor((30_000 * 3_500_000) / make(30_000).length)));
    expect(Math.abs(head.length - 3_750_000)).toBeLessThan(400_000);
    const guest = scriptGuest({ quota: { violations: 1e6 }, now: () => 0 });
    guest.sayText('[]');
    const cpuMs = startCpuClock();
    guest.sayText(head);
    // Some ten milliseconds, of which the clock shows four at a time.
    expect(cpuMs()).toBeLessThan(300);
    expect(guest.violations.length + guest.floods.length).toBe(1);
  });

  it.each([
    ['keys', () => asReply(`{${listOf(70_000, (index) => `"k${index}":1`).slice(1, -1)}}`)],
    ['lists', () => asReply(listOf(270_000, () => '[]'))],
    ['messages', () => listOf(2_049, () => '{"stream":1,"op":"end"}')],
  ])('of more %s than it may hold is one violation, and none of it is done', (_name, make) => {
    const guest = scriptGuest();
    const { answer } = guest.session.call('invoke');
    answer.catch(() => {});
    guest.sayText(make());
    expect(guest.violations.length).toBe(1);
    expect(guest.session.openStreams).toBe(0);
    expect(guest.floods).toEqual([]);
  });

  it('weighs the same as before when its brackets, colons and commas are text', () => {
    const awkward = fc.string({ unit: fc.constantFrom('[', '{', ':', ',', '"', '\\', 'a'), maxLength: 40 });
    fc.assert(
      fc.property(awkward, (text) => {
        const guest = scriptGuest({ quota: { bytesPerSecond: 700 }, now: () => 0 });
        const { answer } = guest.session.call('invoke');
        answer.catch(() => {});
        // Three keys and two commas around it: what is in the text weighs its characters.
        guest.say({ id: '0.1', type: 'RAW', value: text });
        expect(guest.floods).toEqual([]);
      }),
    );
  });
});

describe('in one second', () => {
  it.each(SLOW)('an instance sends few %s before it is ended', (_name, make) => {
    const guest = scriptGuest({ quota: { violations: 1e9 }, now: () => 0 });
    const head = asReply(make(3_000));
    let batches = 0;
    while (guest.floods.length === 0 && batches < 10_000) {
      guest.sayText(head);
      batches += 1;
    }
    expect(guest.floods.length).toBe(1);
    // Half a microsecond is what the slowest of them takes, and a million of them is what anything may take.
    expect(batches * 3_000).toBeLessThan(1_200_000);
  });

  it.each([
    ['empty batches', '[]', 70_000],
    ['calls of nothing', '[{"id":"a","type":"APPLY","path":["log","write"],"argumentList":[]}]', 30_000],
    ['ends of a body', '[{"stream":1,"op":"end"}]', 50_000],
  ])('an instance sends few %s before it is ended', (_name, head, most) => {
    const guest = scriptGuest({ calls: { log: { write: async () => 1 } }, now: () => 0 });
    let batches = 0;
    while (guest.floods.length === 0 && batches < 1e6) {
      guest.sayText(head);
      batches += 1;
    }
    expect(guest.floods.length).toBe(1);
    expect(batches).toBeLessThan(most);
  });

  it('the slowest that is allowed takes a part of the host’s thread', () => {
    const guest = scriptGuest({ quota: { violations: 1e9 }, now: () => 0 });
    const heads = Array.from({ length: 5 }, (_value, round) =>
      asReply(listOf(40_000, (index) => `{"k${round}x${index}":1}`)),
    );
    const cpuMs = startCpuClock();
    for (const head of heads) guest.sayText(head);
    expect(guest.floods.length).toBe(1);
    // Some 130 milliseconds of a second on a machine of today.
    expect(cpuMs()).toBeLessThan(600);
  });
});

describe('an honest module', () => {
  it('may answer large texts as fast as it is asked', async () => {
    const guest = scriptGuest({ now: () => 0 });
    const items = listOf(20_000, (index) => `{"id":${index},"name":"item ${index}","tags":["a","b"]}`);
    for (let count = 0; count < 60; count++) {
      const { id, answer } = guest.session.call('invoke');
      const value = { ok: true, status: 200, headers: [], body: { kind: 'text', text: items } };
      guest.say({ id, type: 'RAW', value });
      expect(await answer).toEqual(value);
    }
    expect([guest.violations, guest.floods]).toEqual([[], []]);
    expect(60 * items.length).toBeGreaterThan(3 * SECOND);
  });

  it('may give twenty thousand short answers a second', () => {
    const guest = scriptGuest({ now: () => 0 });
    const value = {
      ok: true,
      status: 200,
      headers: [
        ['content-type', 'application/json'],
        ['cache-control', 'no-store'],
      ],
      body: { kind: 'text', text: '{"hello":"world"}' },
    };
    for (let turn = 0; turn < 1_000; turn++) {
      const calls = Array.from({ length: 20 }, () => guest.session.call('invoke'));
      guest.say(...calls.map(({ id }) => ({ id, type: 'RAW', value })));
    }
    expect([guest.violations, guest.floods]).toEqual([[], []]);
  });

  it('may make all the calls of a second that the quota allows, in any batches', () => {
    for (const size of [1, 10, 100]) {
      const guest = scriptGuest({ calls: { http: { fetch: async () => ({ ok: true }) } }, now: () => 0 });
      const request = {
        url: 'https://api.example.com/things?page=1',
        method: 'GET',
        headers: [['accept', 'text/plain']],
      };
      for (let made = 0; made < DEFAULT_QUOTA.callsPerSecond; made += size) {
        guest.say(
          ...Array.from({ length: size }, (_value, index) => ({
            id: `${made}-${index}`,
            type: 'APPLY',
            path: ['http', 'fetch'],
            argumentList: [{ type: 'RAW', value: request }],
          })),
        );
      }
      expect([guest.violations, guest.floods], `in batches of ${size}`).toEqual([[], []]);
    }
  });
});
