import { describe, expect, it } from 'vitest';
import { createLogCapability, type LogLevel } from '../../runtime/capabilities/log.ts';
import { moduleLog } from '../../runtime/capabilities/module-log.ts';
import { createLog } from '../../runtime/observability/log.ts';
import { mapStack } from '../../runtime/observability/map-stack.ts';
import { printable } from '../../runtime/observability/printable.ts';
import { scriptGuest } from '../support/scripted-guest.ts';

describe('words of a module', () => {
  it('lose what steers a terminal, and keep what people write', () => {
    expect(printable('grüße 😀\tok')).toBe('grüße 😀\tok');
    const steering = ['\u001b', '\u0007', '\r', '\u009b', '\u202e'];
    const shown = printable(`${steering.join('[2J')}gnp.exe`);
    expect(steering.filter((character) => shown.includes(character))).toEqual([]);
  });

  it('cannot pass for a line of the host', () => {
    expect(printable('one\n[12:00:00] INFO: the operator logged in')).toBe(
      'one\n    [12:00:00] INFO: the operator logged in',
    );
  });
});

describe('the log', () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'debug',
    readable: false,
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });

  it('keeps a module’s fields apart from its own, and hides what is named like a secret', () => {
    moduleLog(log).write('demo', 'info', 'hello', { module: 'host', level: 60, token: 'hunter2' });
    expect(lines.at(-1)).toMatchObject({ module: 'demo', level: 30, msg: 'hello', fields: { token: '***' } });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('takes no format directives from a module', () => {
    moduleLog(log).write('demo', 'info', '%s %d %j %o', undefined);
    expect(lines.at(-1)).toMatchObject({ msg: '%s %d %j %o' });
  });
});

describe('log lines of a guest', () => {
  const written: [string, LogLevel, string, unknown][] = [];
  const write = createLogCapability({ write: (...line) => written.push(line) })({
    module: 'demo',
    session: () => scriptGuest().session,
    signal: new AbortController().signal,
  }).write;

  it('arrive under the module’s name, with bounded fields', () => {
    void write?.([
      ['info', 'hello', { a: 1 }],
      ['warn', 'big', { text: 'x'.repeat(20_000) }],
    ]);
    expect(written[0]).toEqual(['demo', 'info', 'hello', { a: 1 }]);
    expect(JSON.stringify(written[1]).length).toBeLessThan(9_000);
  });

  it.each([
    ['no list', 'x'],
    ['a line that is no list', ['x']],
    ['a message that is no text', [['info', 1]]],
    ['a message without end', [['info', 'x'.repeat(8_001)]]],
    ['more than a batch', Array.from({ length: 251 }, () => ['info', 'x'])],
  ])('are refused as a whole when they are %s', (_name, batch) => {
    expect(() => void write?.(batch)).toThrow(expect.objectContaining({ code: 'INVALID_CALL' }));
  });

  it('at a level that does not exist call no method of the log', () => {
    const before = written.length;
    try {
      void write?.([
        ['constructor', 'x'],
        ['fatal', 'x'],
        ['__proto__', 'x'],
        ['silent', 'x'],
      ]);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_CALL' });
    }
    expect(written.length).toBe(before);
  });
});

describe('a stack of a module', () => {
  it('is left as it is where the source map knows nothing', () => {
    const map = '{"version":3,"sources":[],"names":[],"mappings":""}';
    const stack = 'Error: x\n    at f (module.js:1:5)\n    at module.js:99999:1';
    expect(mapStack(stack, map)).toBe(stack);
  });

  it('with numbers beyond reason does not harm the host', () => {
    const map = '{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}';
    expect(() =>
      mapStack('at module.js:0:0 module.js:99999999999999999999:1 module.js:1:99999999999999999999', map),
    ).not.toThrow();
  });
});
