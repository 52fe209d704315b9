import { describe, expect, it } from 'vitest';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createLogCapability } from '../../runtime/capabilities/log.ts';

type Line = [level: string, message: string, fields: unknown];

function open(admitLine = () => true) {
  const lines: Line[] = [];
  const capability = createLogCapability({
    write: (_module, level, message, fields) => lines.push([level, message, fields]),
  });
  const { write } = capability({ module: 'demo', admitLine } as CapabilityContext);
  return { lines, write: (batch: unknown): void => void write?.(batch) };
}

describe('fields of a log line', () => {
  it('are read when they are small', () => {
    const { lines, write } = open();
    write([['info', 'hello', '{"a":1}']]);
    expect(lines).toEqual([['info', 'hello', { a: 1 }]]);
  });

  it.each([
    ['large', JSON.stringify({ a: 'x'.repeat(5_000) })],
    ['deep', `${'['.repeat(500)}${']'.repeat(500)}`],
    ['cut', '{"a":"x'],
  ])('that are %s stay text, and their line is written', (_name, text) => {
    const { lines, write } = open();
    write([['info', 'hello', text]]);
    expect(lines).toEqual([['info', 'hello', { text }]]);
  });

  it.each([[{ a: 1 }], [[[]]], [1], ['x'.repeat(8_001)]])(
    'that are no text, or longer than allowed, are refused',
    (fields) => {
      expect(() => open().write([['info', 'hello', fields]])).toThrow('log.write takes a list');
    },
  );
});

describe('a call of log.write', () => {
  it('takes 64 K characters and not one more', () => {
    const { lines, write } = open();
    const batch = Array.from({ length: 8 }, () => ['info', 'm'.repeat(8_000), 'f'.repeat(192)]);
    write(batch);
    expect(lines).toHaveLength(8);
    expect(() => write([...batch, ['info', 'm']])).toThrow('at most 65536 characters');
    expect(lines).toHaveLength(8);
  });
});

describe('lines over the limit', () => {
  it('are dropped, and how many is said with the next one that is not', () => {
    let isAdmitted = true;
    const { lines, write } = open(() => isAdmitted);
    isAdmitted = false;
    write([
      ['info', 'one'],
      ['info', 'two'],
    ]);
    expect(lines).toEqual([]);
    isAdmitted = true;
    write([['info', 'three']]);
    expect(lines.map(([, message]) => message)).toEqual([
      '2 log lines were dropped: more than it may write a second.',
      'three',
    ]);
  });
});
