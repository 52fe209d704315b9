/**
 * Modules that misuse their breakpoints: as real modules in a real cell, and as a guest that speaks to the bridge by
 * itself. What operators see is bounded, nobody else stops because of them, and a neighbour can still be looked at.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Breakpoints } from '../../runtime/capabilities/breakpoints.ts';
import { type Capability, createCapabilityTable } from '../../runtime/capabilities/capability.ts';
import { createDebugCapability } from '../../runtime/capabilities/debug.ts';
import { type CellRoom, type Guest, openCellRoom } from '../support/cell-room.ts';
import { HUNT } from '../support/hunt.ts';
import { scriptGuest } from '../support/scripted-guest.ts';
import { until } from '../support/until.ts';

const STOPS = `async onstop() { await this.debug.breakpoint('look at me', { fine: true }); return 'went on'; }`;
const MAX_SHOWN = 16 * 1024;

let room: CellRoom;
let breakpoints: Breakpoints;
let capabilities: Readonly<Record<string, Capability>>;
let neighbour: Guest;

beforeAll(async () => {
  room = await openCellRoom();
});
afterAll(() => room?.close());

beforeEach(async () => {
  breakpoints = new Breakpoints();
  const isInDebugMode = (module: string) => module !== 'plain';
  capabilities = { debug: createDebugCapability({ isInDebugMode, stop: (stop) => breakpoints.stop(stop) }) };
  neighbour = await room.boot(STOPS, { name: 'neighbour', settings: { debug: true }, capabilities });
});

const of = (module: string) => breakpoints.list().filter((one) => one.module === module);

async function neighbourCanBeLookedAt(): Promise<void> {
  const answer = neighbour.json('stop');
  await until(() => of('neighbour').length === 1);
  const [shown] = of('neighbour');
  expect(shown).toMatchObject({ label: 'look at me', locals: '{"fine":true}' });
  breakpoints.resume(shown?.id ?? '');
  expect(await answer).toBe('went on');
}

async function hostile(body: string, look: (guest: Guest) => Promise<void>, name = 'hostile'): Promise<void> {
  const guest = await room.boot(body, { name, before: HUNT, settings: { debug: true }, capabilities });
  try {
    await look(guest);
    expect([guest.failures, guest.violations]).toEqual([[], []]);
    await neighbourCanBeLookedAt();
  } finally {
    breakpoints.close();
    for (const one of [guest, neighbour]) {
      one.instance.terminate('terminated', 'the test is over');
      await one.exit;
    }
  }
}

describe('a hostile module in debug mode', () => {
  it('shows what it likes, in bounds: nothing that it shows is code, a proxy, or without an end', async () => {
    await hostile(
      `async onrun() {
        const cycle = { name: 'cycle' }; cycle.self = cycle;
        let deep = {}; for (let level = 0; level < 5_000; level++) deep = { deep };
        const values = [
          cycle, deep, 'x'.repeat(1_000_000), Array.from({ length: 100_000 }, (_, n) => ({ n })), undefined, 10n ** 500n, Symbol('s'),
          { get boom() { throw new Error('boom'); } }, { toJSON() { throw new Error('json'); } }, { toJSON: () => 'forged' },
          new Proxy({}, { get() { throw new Error('get'); }, ownKeys() { throw new Error('keys'); }, getPrototypeOf() { throw 1; } }),
          JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'), '\\ud800\\u0000\\u001b[2J',
          () => { throw new Error('asked'); }, () => ({ get now() { return this; } }), Object.create(null), new Map([[{}, () => {}]]),
        ];
        let passed = 0;
        for (const value of values) { await this.debug.breakpoint('v' + passed, value); passed += 1; }
        return [passed, ({}).polluted ?? null];
      }`,
      async (guest) => {
        const answer = guest.json<unknown[]>('run', 30_000);
        let isDone = false;
        void answer.finally(() => {
          isDone = true;
        });
        const seen = new Map<string, string>();
        await until(() => {
          for (const { id, label, locals } of of('hostile')) {
            seen.set(label, locals);
            breakpoints.resume(id);
          }
          return isDone;
        });
        expect(await answer).toEqual([17, null]);
        expect(seen.size).toBe(17);
        for (const locals of seen.values()) {
          expect(locals.length).toBeLessThanOrEqual(MAX_SHOWN);
          expect(() => JSON.parse(locals)).not.toThrow();
        }
        expect({}).not.toHaveProperty('polluted');
      },
    );
  });

  it('sees no object of another realm in its client, and in what it is refused', async () => {
    await hostile(
      `async onrun() {
        const refused = (run) => Promise.resolve().then(run).catch((error) => error);
        const pending = this.debug.breakpoint('here', 1);
        return hunt({ debug: this.debug, pending, state: this.debug.logState('state', 1), passed: await pending,
          badLabel: await refused(() => this.debug.breakpoint(Symbol('x'), 1)), long: await refused(() => this.debug.breakpoint('x'.repeat(101), 1)) });
      }`,
      async (guest) => {
        const answer = guest.json('run', 30_000);
        await until(() => of('hostile').length === 1);
        breakpoints.resume(of('hostile')[0]?.id ?? '');
        expect(await answer).toEqual([]);
      },
    );
  });

  it('stops a hundred times at once: eight wait, the others go on', async () => {
    await hostile(
      `async onrun() {
        let passed = 0;
        for (let n = 0; n < 100; n++) void this.debug.breakpoint('flood ' + n, n).then(() => { passed += 1; });
        while (passed < 92) await new Promise((resolve) => setTimeout(resolve, 5));
        return passed;
      }`,
      async (guest) => {
        expect(await guest.json('run', 30_000)).toBe(92);
        expect(of('hostile')).toHaveLength(8);
        const refusals = guest.lines.filter(({ message }) => message.includes('At most 8 breakpoints of this module'));
        expect(refusals.length).toBeGreaterThan(0);
      },
    );
  });

  it('stops what it is doing and nothing else of it', async () => {
    await hostile(
      `async onstop() { await this.debug.breakpoint('stuck', 1); return 'late'; } async onother() { return 'answered'; }`,
      async (guest) => {
        const stuck = guest.json('stop', 30_000);
        await until(() => of('hostile').length === 1);
        expect(await guest.json('other')).toBe('answered');
        breakpoints.resume(of('hostile')[0]?.id ?? '');
        expect(await stuck).toBe('late');
      },
    );
  });

  it('stops nowhere when the host does not say so, whatever its own settings say', async () => {
    await hostile(
      STOPS,
      async (guest) => {
        expect(await guest.json('stop')).toBe('went on');
        expect(of('plain')).toEqual([]);
      },
      'plain',
    );
  });
});

describe('a guest that speaks to the bridge by itself', () => {
  const REQUEST = { label: 'here' };
  const BAD: readonly (readonly unknown[])[] = [
    [],
    [REQUEST],
    ['here', 1],
    [null, 1],
    [{ label: '' }, 1],
    [{ label: 'x'.repeat(101) }, 1],
    [{ label: { toString: 'x' } }, 1],
    [{ label: 'x', within: 0 }, 1],
    [{ label: 'x', within: 1.5 }, 1],
    [{ label: 'x', within: '1' }, 1],
    [{ label: 'x', until: 1e15 }, 1],
    [{ label: 'x', module: 'neighbour' }, 1],
    [REQUEST, 'x'.repeat(MAX_SHOWN)],
    [REQUEST, Array(20_000).fill(0)],
    [REQUEST, 1, 2],
  ];

  it('gets INVALID_CALL for every argument that a breakpoint does not take, and waits for none', async () => {
    const signal = new AbortController().signal;
    const session = (): never => {
      throw new Error('There is no session.');
    };
    const quota = { run: (call: () => Promise<unknown>) => call(), admitLine: () => true };
    const failures: unknown[] = [];
    const table = createCapabilityTable(
      capabilities,
      { module: 'stranger', session, signal },
      quota as never,
      (...how) => failures.push(how),
    );
    const guest = scriptGuest({ calls: table as never });
    const ask = async (id: string, argumentList: readonly unknown[]) => {
      guest.say({ id, type: 'APPLY', path: ['debug', 'breakpoint'], argumentList });
      return (await guest.hear((message) => message.id === id)).value;
    };
    for (const [index, args] of BAD.entries()) {
      const raw = args.map((value) => ({ type: 'RAW', value }));
      expect(await ask(`bad-${index}`, raw), JSON.stringify(args).slice(0, 80)).toMatchObject({ code: 'INVALID_CALL' });
    }
    expect(await ask('nothing', [{ type: 'RAW', value: REQUEST }, { type: 'RAW' }])).toMatchObject({
      code: 'INVALID_CALL',
    });
    expect([breakpoints.list(), failures, guest.violations]).toEqual([[], [], []]);
  });
});
