import { describe, expect, it } from 'vitest';
import { moduleLog } from '../../runtime/capabilities/module-log.ts';
import { createLog } from '../../runtime/observability/log.ts';
import { mapStack } from '../../runtime/observability/map-stack.ts';
import { printable } from '../../runtime/observability/printable.ts';

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

describe('the readable log', () => {
  it('shows no control character of a module, wherever its words stand', () => {
    let shown = '';
    const write = (text: string): void => {
      shown += text;
    };
    const log = createLog({ level: 'info', readable: true, destination: { write } });
    const steering = 'a\u001b[2Jb\u009bc\u0007d\re\u202ef\\u001bg';
    log.warn({ err: new Error(steering), fields: { steering } }, steering);
    expect(shown).toContain('[2Jb');
    expect(shown).toContain('\\u001bg');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left.
    expect(shown).not.toMatch(/[\u0007\u001b\r\u009b\u202e]/);
  });
});
