import { describe, expect, it } from 'vitest';
import { lastWords } from '../../runtime/cells/last-words.ts';

describe('the last words of a cell', () => {
  it('are why V8 gave up, without stacks and addresses', () => {
    expect(
      lastWords(`\n<--- Last few GCs --->\n\n[14747:0x26cd5000]     1826 ms: Mark-Compact (reduce) 39.8 MB\n\n
FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory
----- Native stack trace -----\n\n 1: 0x840e50  [/opt/node/bin/node]\n 2: 0x8410bd node::OOMErrorHandler [node]\n`),
    ).toBe('FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory');
    expect(
      lastWords(`\n\n#\n# Fatal error with no security impact:\n# Fatal JavaScript invalid size error 536870888 (see crbug.com/1201626)
#\n\n----- Native stack trace -----\n\n 1: 0xaa1c41  [/opt/node/bin/node]\n`),
    ).toBe('Fatal JavaScript invalid size error 536870888 (see crbug.com/1201626)');
  });

  it('are what the host said of it, or nothing', () => {
    expect(lastWords('does not read what it is sent')).toBe('does not read what it is sent');
    expect(lastWords('')).toBe('');
    expect(lastWords('\n\n 1: 0xaa1c41  [/opt/node/bin/node]\n')).toBe('');
  });

  it('are one line that a terminal may show, however many a cell printed', () => {
    expect(lastWords(`\u001b[2J${'x'.repeat(9_000)}\nsecond`)).toMatch(/^\\u001b\[2Jx{296}$/);
  });
});
