/** Events that come over Redis are read like words of strangers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostEvent } from '../../runtime/events/host-event.ts';
import { readWireEvent, writeWireEvent } from '../../runtime/events/wire-event.ts';

const HOST = '00000000-0000-4000-8000-000000000001';
const EVENT: HostEvent = {
  id: '00000000-0000-4000-8000-000000000002',
  name: 'user.login',
  source: 'chat-host',
  at: 1_700_000_000_000,
  heardAt: 0,
  hops: 0,
  data: '{"a":1}',
  isShared: true,
};

const altered = (part: object): string => JSON.stringify({ ...JSON.parse(writeWireEvent(EVENT, HOST)), ...part });

it('what one host writes another reads, whatever the data', () => {
  const heardAt = expect.any(Number);
  expect(readWireEvent(writeWireEvent(EVENT, HOST))).toEqual({ host: HOST, event: { ...EVENT, heardAt } });
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (data) => {
      const event = { ...EVENT, name: 'module.demo.x', source: 'demo', data: JSON.stringify(data) };
      expect(readWireEvent(writeWireEvent(event, HOST))?.event).toEqual({ ...event, heardAt });
    }),
  );
});

describe('what no host of ours wrote is refused:', () => {
  it.each<[string, string]>([
    ['no JSON', 'hello'],
    ['a list', '[]'],
    ['a key too many', altered({ extra: 1 })],
    ['a bad name', altered({ name: 'User.login' })],
    ['a module that speaks for the chat host', altered({ name: 'module.x' })],
    ['the chat host that speaks for a module', altered({ source: 'demo' })],
    ['a source that no module can have', altered({ name: 'module.x', source: 'Chat Host' })],
    ['too long a chain', altered({ hops: 9 })],
    ['data that is no JSON', altered({ data: '1}{' })],
    ['data that breaks out of its place', altered({ data: '1},{"x":2' })],
    ['data that nests too deep', altered({ data: `${'['.repeat(61)}${']'.repeat(61)}` })],
    ['data that is too long', altered({ data: JSON.stringify('x'.repeat(65_536)) })],
    ['data that grows', altered({ data: `[${Array(13_000).fill('1e20').join(',')}]` })],
    ['a time that is none', altered({ at: 9e15 })],
    ['a prototype', writeWireEvent(EVENT, HOST).replace('{', '{"__proto__":{"x":1},')],
    ['far too much', 'x'.repeat(1_000_000)],
  ])('%s', (_what, text) => {
    expect(readWireEvent(text)).toBeUndefined();
  });

  it('anything else', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readWireEvent(text) === undefined));
  });
});

it('data is written anew, never passed on as it came', () => {
  expect(readWireEvent(altered({ data: ' { "a" :1,\n"a":2 } ' }))?.event.data).toBe('{"a":2}');
});
