/** Messages that were right once and were then bent: what passes the guard has the guard's own shape, or none passes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCallTable, type GuestMessage, readGuestMessage } from '../../runtime/bridge/guard.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

const table = createCallTable({ http: { fetch: async () => 1, cancel: async () => 2 }, log: { write: async () => 3 } });
const read = (message: unknown): GuestMessage => readGuestMessage(message, table);

/** Every name that an object, a function, a list or a promise has without anybody's doing, and Comlink's own words. */
const INHERITED = [
  ...new Set(
    [Object.prototype, Function.prototype, Array.prototype, Promise.prototype, String.prototype]
      .flatMap((prototype) => Object.getOwnPropertyNames(prototype))
      .concat('prototype', 'arguments', 'caller', 'name', 'length', 'then', 'comlink', 'transfer', 'origin'),
  ),
];

const valid = fc.oneof(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 80 }),
    type: fc.constant('APPLY'),
    path: fc.constantFrom(['http', 'fetch'], ['http', 'cancel'], ['log', 'write']),
    argumentList: fc.array(fc.record({ type: fc.constant('RAW'), value: fc.jsonValue({ maxDepth: 2 }) }), {
      maxLength: 4,
    }),
  }),
  fc.record({ id: fc.string({ minLength: 1, maxLength: 80 }), type: fc.constant('RAW'), value: fc.jsonValue() }),
  fc.record({ stream: fc.integer({ min: 1 }), op: fc.constantFrom('chunk', 'end', 'cancel') }),
  fc.record({ stream: fc.integer({ min: 1 }), op: fc.constant('error'), message: fc.string() }),
  fc.record({ stream: fc.integer({ min: 1 }), op: fc.constant('credit'), bytes: fc.integer({ min: 1 }) }),
);

const word = fc.constantFrom(
  ...['id', 'type', 'path', 'argumentList', 'value', 'stream', 'op', 'bytes', 'message', 'name', '__proto__'],
  ...['APPLY', 'RAW', 'HANDLER', 'GET', 'SET', 'CONSTRUCT', 'ENDPOINT', 'RELEASE', 'chunk', 'credit', 'http', 'fetch'],
  ...INHERITED,
);
const hostileValue = fc.oneof(
  word,
  fc.constantFrom<unknown>('', '\0', '\ud800', 'x'.repeat(100_000), null, true, 0, -1, 0.5, -0, 1e300, 2 ** 53, [], {}),
  fc.constantFrom<unknown>({ length: 2, 0: 'http', 1: 'fetch' }, [['http'], 'fetch'], { type: 'RAW', value: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
);
const bend = fc.record({
  what: fc.constantFrom('set', 'remove', 'rename', 'add', 'wrap'),
  at: fc.nat(),
  key: word,
  value: hostileValue,
});

/** Does something to one place of a message, wherever it is, as text would: `__proto__` becomes a key like any other. */
function bent(message: unknown, bends: readonly (typeof bend extends fc.Arbitrary<infer Bend> ? Bend : never)[]) {
  let root: { message: unknown } = { message: structuredClone(message) };
  for (const { what, at, key, value } of bends) {
    const places: [holder: Record<string, unknown>, key: string][] = [];
    const walk = (holder: unknown): void => {
      if (typeof holder !== 'object' || holder === null) return;
      for (const name of Object.keys(holder)) {
        places.push([holder as Record<string, unknown>, name]);
        walk((holder as Record<string, unknown>)[name]);
      }
    };
    walk(root);
    const [holder, name]: [Record<string, unknown>, string] = places[at % places.length] ?? [root, 'message'];
    const define = (target: object, property: string, to: unknown): void => {
      Object.defineProperty(target, property, { value: to, enumerable: true, configurable: true, writable: true });
    };
    const child = holder[name];
    if (what === 'set') define(holder, name, value);
    else if (what === 'wrap') define(holder, name, [child]);
    else if (what === 'add' && typeof child === 'object' && child !== null && !Array.isArray(child))
      define(child, key, value);
    else if (holder !== root && !Array.isArray(holder)) {
      delete holder[name];
      if (what === 'rename') define(holder, key, child);
    }
    root = JSON.parse(JSON.stringify(root));
  }
  return root.message;
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  chunk: ['op', 'stream'],
  end: ['op', 'stream'],
  cancel: ['op', 'stream'],
  error: ['message', 'op', 'stream'],
  credit: ['bytes', 'op', 'stream'],
};

/** What passed is built by the guard, key by key, and says nothing that it does not know. */
function expectOurShape(result: GuestMessage, message: unknown): void {
  const keysOf = (value: object): string[] => Reflect.ownKeys(value).map(String).sort();
  switch (result.kind) {
    case 'call': {
      const { call } = result;
      expect(keysOf(call)).toEqual(['argumentList', 'id', 'path', 'type']);
      expect(call.type).toBe('APPLY');
      expect(typeof call.id === 'string' && call.id.length > 0 && call.id.length <= 80).toBe(true);
      expect(call.path.length).toBe(2);
      expect(Object.hasOwn(table, call.path[0]) && Object.hasOwn(table[call.path[0]] ?? {}, call.path[1])).toBe(true);
      expect(call.argumentList.length).toBeLessThanOrEqual(4);
      for (const argument of call.argumentList) {
        expect(keysOf(argument)).toEqual(['type', 'value']);
        expect(argument.type).toBe('RAW');
      }
      expect(call).not.toBe(message);
      return;
    }
    case 'reply':
      expect(keysOf(result.reply)).toEqual(['id', 'type', 'value']);
      expect(result.reply.type).toBe('RAW');
      expect(typeof result.reply.id === 'string' && result.reply.id.length <= 80).toBe(true);
      expect(result.reply).not.toBe(message);
      return;
    case 'stream': {
      const said = result.message;
      expect(keysOf(said)).toEqual(KEYS[said.op]);
      expect(Number.isSafeInteger(said.stream) && said.stream >= 1).toBe(true);
      if (said.op === 'credit') expect(Number.isSafeInteger(said.bytes) && said.bytes >= 1).toBe(true);
      if (said.op === 'error') expect(said.message.length).toBeLessThanOrEqual(500);
      return;
    }
    case 'violation':
      expect(result.reason.length).toBeLessThan(600);
  }
}

describe('a message that was bent', () => {
  it('is refused, or comes out in the guard’s own shape with nothing added', () => {
    fc.assert(
      fc.property(valid, fc.array(bend, { minLength: 1, maxLength: 3 }), (message, bends) => {
        const hostile = bent(message, bends);
        expectOurShape(read(hostile), hostile);
      }),
      { numRuns: 5_000 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('by nothing comes through as it was', () => {
    fc.assert(
      fc.property(valid, (message) => {
        const result = read(JSON.parse(JSON.stringify(message)));
        expect(result.kind).not.toBe('violation');
        expectOurShape(result, message);
      }),
      { numRuns: 1_000 },
    );
  });

  it('by anything that JSON can say throws nothing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => expectOurShape(read(JSON.parse(text)), undefined)),
      { numRuns: 2_000 },
    );
  });
});

describe('names that everything inherits', () => {
  const call = (capability: unknown, method: unknown) =>
    JSON.parse(JSON.stringify({ id: 'a', type: 'APPLY', path: [capability, method], argumentList: [] }));

  it('name no capability, no method and no type', () => {
    for (const name of INHERITED) {
      for (const path of [
        [name, name],
        ['http', name],
        [name, 'fetch'],
        [name, 'call'],
        ['constructor', name],
      ]) {
        expect(read(call(path[0], path[1])).kind, path.join('.')).toBe('violation');
      }
      expect(read({ ...call('http', 'fetch'), type: name }).kind, name).toBe('violation');
      expect(read({ stream: 1, op: name }).kind, name).toBe('violation');
    }
  });

  it('are ids like any other: who calls by them is answered by them, and they answer nobody', async () => {
    const guest = scriptGuest({
      calls: { http: { fetch: async () => ({ ok: true, value: 'answered' }) } },
      quota: { violations: 1e6 },
    });
    const { id, answer } = guest.session.call('invoke');
    for (const name of INHERITED) {
      guest.say({ id: name, type: 'RAW', value: 'forged' });
      guest.say({ ...call('http', 'fetch'), id: name });
    }
    guest.say({ id, type: 'RAW', value: 'true' });
    expect(await answer).toBe('true');
    expect(guest.violations).toEqual(INHERITED.map(() => 'a reply to no call'));
    for (const name of INHERITED) expect((await guest.hear((sent) => sent.id === name)).type).toBe('RAW');
  });

  it('are refused as keys beside those of a call, an argument or a reply, also when text made them', () => {
    for (const name of INHERITED) {
      const key = JSON.stringify(name);
      for (const text of [
        `{"id":"a","type":"RAW","value":1,${key}:1}`,
        `{"id":"a","type":"APPLY","path":["http","fetch"],"argumentList":[],${key}:{}}`,
        `{"id":"a","type":"APPLY","path":["http","fetch"],"argumentList":[{"type":"RAW","value":1,${key}:1}]}`,
      ]) {
        expect(read(JSON.parse(text)).kind, text).toBe('violation');
      }
    }
  });
});

describe('ids', () => {
  it.each([
    ['NUL', '\0'],
    ['a lone surrogate', '\ud800'],
    ['a line that a log would show as its own', 'x\n[error] forged'],
    ['a colour of a terminal', '\u001b[31m'],
    ['eighty astral characters’ worth of units', '😀'.repeat(40)],
  ])('with %s are carried back as they came', async (_name, id) => {
    const guest = scriptGuest({ calls: { http: { fetch: async () => ({ ok: true, value: 1 }) } } });
    guest.say({ id, type: 'APPLY', path: ['http', 'fetch'], argumentList: [] });
    expect(await guest.hear((sent) => sent.id === id)).toMatchObject({ id });
    expect(guest.violations).toEqual([]);
  });

  it.each(['0', '0.', '0.1 ', ' 0.1', '00.1', '0.1.1', '0x0.1', '+0.1', '-0', '1e0.1', '0.01', '٠.1', '0.1\0'])(
    '%j answers no call but its own',
    async (forged) => {
      const guest = scriptGuest();
      const { id, answer } = guest.session.call('invoke');
      expect(id).toBe('0.1');
      guest.say({ id: forged, type: 'RAW', value: 'forged' });
      guest.say({ id, type: 'RAW', value: 'true' });
      expect(await answer).toBe('true');
      expect(guest.violations).toEqual(['a reply to no call']);
    },
  );
});

describe('the words of a violation', () => {
  it('quote a guest without the control characters that forge lines and steer terminals', () => {
    const quoted = fc.string({ unit: fc.integer({ min: 0, max: 0x2ff }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(quoted, quoted, (capability, method) => {
        for (const message of [
          { id: 'a', type: capability, path: [], argumentList: [] },
          { id: 'a', type: 'APPLY', path: [capability, method], argumentList: [] },
          { stream: 1, op: method },
        ]) {
          const result = read(message);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
          if (result.kind === 'violation') expect(result.reason).not.toMatch(/[\u0000-\u001f]/);
        }
      }),
    );
  });
});
