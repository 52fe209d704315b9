import { sanitizeInput } from '@plexichat/sdk';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('sanitizeInput', () => {
  it.each([
    ['  <b>Hi</b> & bye ', 'Hi &amp; bye'],
    ['<script>alert(1)</script>', 'alert(1)'],
    ['<<b>b>x', 'x'],
    ['<img src=x onerror=alert(1)', ''],
    ['1 < 2 and 3 > 2', '1 &lt; 2 and 3 &gt; 2'],
    [`"quoted" and 'single'`, '&quot;quoted&quot; and &#39;single&#39;'],
    ['a\u0000b\u0007c\u202ed\u200be\ufefff', 'abcdef'],
    ['tab\tand\r\nline\rfeed', 'tab\tand\nline\nfeed'],
    ['Cafe\u0301', 'Café'],
    ['👨‍👩‍👧', '👨‍👩‍👧'],
    [42, ''],
    [undefined, ''],
  ])('makes of %j %j', (given, expected) => {
    expect(sanitizeInput(given)).toBe(expected);
  });

  it('counts characters before it escapes, and never cuts one in two', () => {
    expect(sanitizeInput('<<<<', { html: 'escape', maxLength: 2 })).toBe('&lt;&lt;');
    expect(sanitizeInput('😀😀😀', { maxLength: 2 })).toBe('😀😀');
    expect(sanitizeInput('ab cd', { maxLength: 3 })).toBe('ab');
  });

  it('keeps tags as text when told to escape', () => {
    expect(sanitizeInput('<b>x</b>', { html: 'escape' })).toBe('&lt;b&gt;x&lt;/b&gt;');
  });

  it('never leaves a character that opens a tag or an attribute, whatever comes in', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('<', '>', '"', "'", '/', 'a', '!', ' ', '&', '\u0000', '\u202e', 'é'),
    });
    void fc.assert(
      fc.property(hostile, (text) => {
        expect(sanitizeInput(text)).not.toMatch(/[<>"'\0\u202e]/);
      }),
    );
  });
});
