import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCallTable, readGuestMessage } from '../../runtime/bridge/guard.ts';

const table = createCallTable({ http: { fetch: async () => 1, cancel: async () => 2 }, log: { write: async () => 3 } });
const read = (message: unknown) => readGuestMessage(message, table);
const call = (changes: object = {}): object => ({
  id: 'a1',
  type: 'APPLY',
  path: ['http', 'fetch'],
  argumentList: [{ type: 'RAW', value: 1 }],
  ...changes,
});

describe('the guard', () => {
  it('lets a call of a listed method through, as an object of its own', () => {
    const message = call();
    const result = read(message);
    expect(result).toEqual({ kind: 'call', call: message });
    expect(result.kind === 'call' && result.call).not.toBe(message);
  });

  it('lets a plain reply through', () => {
    expect(read({ id: 'a1', type: 'RAW', value: null })).toMatchObject({ kind: 'reply' });
  });

  it.each([
    ['nothing', null],
    ['a text', 'APPLY'],
    ['a list', []],
    ['an empty object', {}],
    ['GET', call({ type: 'GET' })],
    ['SET', call({ type: 'SET', value: { type: 'RAW', value: 1 } })],
    ['CONSTRUCT', call({ type: 'CONSTRUCT' })],
    ['ENDPOINT', call({ type: 'ENDPOINT' })],
    ['RELEASE', call({ type: 'RELEASE' })],
    ['a HANDLER as a reply', { id: 'a1', type: 'HANDLER', name: 'throw', value: {} }],
    ['a reply with a path', { id: 'a1', type: 'RAW', value: 1, path: [] }],
    ['a reply with a name', { id: 'a1', type: 'RAW', value: 1, name: 'proxy' }],
    ['a reply without an id', { type: 'RAW', value: 1 }],
    ['a reply whose id is a number', { id: 7, type: 'RAW', value: 1 }],
    ['a call without an id', call({ id: undefined })],
    ['a call with an endless id', call({ id: 'a'.repeat(81) })],
    ['an empty path', call({ path: [] })],
    ['a path of one', call({ path: ['http'] })],
    ['a path of three', call({ path: ['http', 'fetch', 'constructor'] })],
    ['a path that is a text', call({ path: 'ab' })],
    ['a path that is an object', call({ path: { 0: 'http', 1: 'fetch', length: 2 } })],
    ['the constructor of the table', call({ path: ['constructor', 'constructor'] })],
    ['the constructor of a capability', call({ path: ['http', 'constructor'] })],
    ['the prototype of a capability', call({ path: ['http', '__proto__'] })],
    ['apply of a method', call({ path: ['fetch', 'apply'] })],
    ['a name in a list', call({ path: [['http'], 'fetch'] })],
    ['a method that is a list', call({ path: ['http', ['fetch']] })],
    ['an unknown capability', call({ path: ['process', 'exit'] })],
    ['a proxy argument', call({ argumentList: [{ type: 'HANDLER', name: 'proxy', value: {} }] })],
    ['an argument of an unknown handler', call({ argumentList: [{ type: 'HANDLER', name: 'nope', value: 1 }] })],
    ['a bare argument', call({ argumentList: [1] })],
    ['an argument with more than a value', call({ argumentList: [{ type: 'RAW', value: 1, name: 'throw' }] })],
    ['arguments that are no list', call({ argumentList: { length: 1 } })],
    ['five arguments', call({ argumentList: Array.from({ length: 5 }, () => ({ type: 'RAW', value: 1 })) })],
    ['a key more than a call has', call({ transfer: [] })],
    ['stream 0', { stream: 0, op: 'chunk' }],
    ['a stream that is a text', { stream: '1', op: 'chunk' }],
    ['a stream without end', { stream: 1e300, op: 'chunk' }],
    ['an unknown stream operation', { stream: 1, op: 'constructor' }],
    ['credit that is negative', { stream: 1, op: 'credit', bytes: -1 }],
    ['credit that is no number', { stream: 1, op: 'credit', bytes: '1e9' }],
    ['credit that is a fraction', { stream: 1, op: 'credit', bytes: 0.5 }],
  ])('refuses %s', (_name, message) => {
    expect(read(message)).toMatchObject({ kind: 'violation' });
  });

  it('refuses prototype keys that JSON made real keys', () => {
    for (const text of [
      '{"id":"a","type":"RAW","value":1,"__proto__":{"path":[]}}',
      '{"__proto__":{"id":"a","type":"RAW","value":1}}',
      '{"id":"a","type":"APPLY","path":["http","fetch"],"argumentList":[{"type":"RAW","value":1,"__proto__":{}}]}',
    ]) {
      expect(read(JSON.parse(text)), text).toMatchObject({ kind: 'violation' });
    }
  });

  it('cuts what it repeats of a guest, in words and in streams', () => {
    const long = 'x'.repeat(100_000);
    const refused = read(call({ path: [long, long] }));
    expect(refused.kind === 'violation' ? refused.reason.length : Number.POSITIVE_INFINITY).toBeLessThan(200);
    const failed = read({ stream: 1, op: 'error', message: long });
    expect(failed.kind === 'stream' && failed.message.op === 'error' && failed.message.message.length).toBe(500);
  });

  it('has a table without a prototype that nobody can change', () => {
    expect(Object.getPrototypeOf(table)).toBeNull();
    expect(Object.isFrozen(table)).toBe(true);
    for (const methods of Object.values(table)) {
      expect(Object.getPrototypeOf(methods)).toBeNull();
      expect(Object.isFrozen(methods)).toBe(true);
    }
  });
});

describe('for every JSON value', () => {
  const words = fc.constantFrom(
    ...['id', 'type', 'path', 'argumentList', 'value', 'stream', 'op', 'bytes', 'name', '__proto__', 'constructor'],
    ...['APPLY', 'RAW', 'HANDLER', 'GET', 'http', 'fetch', 'log', 'write', 'chunk', 'credit', 'prototype', 'toString'],
  );
  /** Values out of the bridge's own words reach deeper than random ones. */
  const { tree: near } = fc.letrec((tie) => ({
    leaf: fc.oneof(words, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    tree: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(words, tie('tree'), { maxKeys: 6, noNullPrototype: true }),
    ),
  }));
  const almostCall = fc.record({
    id: fc.oneof(fc.string(), near),
    type: fc.oneof(words, near),
    path: fc.oneof(fc.array(words, { maxLength: 3 }), near),
    argumentList: fc.oneof(fc.array(near, { maxLength: 5 }), near),
  });

  it('the guard throws nothing, and lets no call out of its table through', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near, almostCall), (value) => {
        const result = read(JSON.parse(JSON.stringify(value)));
        if (result.kind !== 'call') return;
        const [capability, method] = result.call.path;
        expect(typeof table[capability]?.[method]).toBe('function');
        expect(Object.keys(result.call).sort()).toEqual(['argumentList', 'id', 'path', 'type']);
        for (const argument of result.call.argumentList) {
          expect(argument.type).toBe('RAW');
          expect(Object.keys(argument).sort()).toEqual(['type', 'value']);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('a stream message has a whole number and nothing that was not checked', () => {
    fc.assert(
      fc.property(fc.record({ stream: near, op: near, bytes: near, message: near }), (value) => {
        const result = read(JSON.parse(JSON.stringify(value)));
        if (result.kind !== 'stream') return;
        expect(Number.isSafeInteger(result.message.stream) && result.message.stream > 0).toBe(true);
        expect(['chunk', 'end', 'error', 'credit', 'cancel']).toContain(result.message.op);
      }),
      { numRuns: 2_000 },
    );
  });
});
