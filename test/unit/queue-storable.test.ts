import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainUnstorable, storableJson, storableText, storableValue } from '../../runtime/queue/storable.ts';

/** Any sequence of UTF-16, with many of the odd ones. */
const anyText = fc
  .array(
    fc.oneof(fc.constantFrom('\0', '\ud83d', '\ude00', '\\', '"', 'u0000', '\\ud83d'), fc.string({ unit: 'binary' })),
  )
  .map((parts) => parts.join(''));

describe('what the database can keep', () => {
  it('has U+FFFD for NUL and for half of a character, and nothing else changes', () => {
    const value = { 'k\0': ['a\0b', '\ud83d', '\ude00\ud83d', '😀 \\u0000 \\ud83d', 'käse'], n: 1.5 };
    expect(storableValue(value)).toEqual({
      'k\ufffd': ['a\ufffdb', '\ufffd', '\ufffd\ufffd', '😀 \\u0000 \\ud83d', 'käse'],
      n: 1.5,
    });
    expect(storableText('a\0b\ud83dc😀')).toBe('a\ufffdb\ufffdc😀');
  });

  it('takes a pair that was written as two escapes for the character that it is', () => {
    expect(storableJson('"\\ud83d\\ude00 \\ud83d\\u0041 \\\\ud83d \\\\\\ud83d"')).toBe(
      '"\\ud83d\\ude00 \ufffd\\u0041 \\\\ud83d \\\\\ufffd"',
    );
  });

  it('hands over what is fine as it is', () => {
    const fine = { a: ['x', null, 1] };
    expect(storableValue(fine)).toBe(fine);
    expect(storableValue(undefined)).toBeUndefined();
  });

  it('is the text made well-formed, whatever the text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const expected = storableText(text);
        expect(storableValue(text)).toBe(expected);
        expect(JSON.parse(storableJson(JSON.stringify({ text }))).text).toBe(expected);
      }),
    );
  });

  it('is named in the refusal of what it is not', () => {
    const refusal = (code: string) => Object.assign(new Error('invalid input syntax for type json'), { code });
    const explain = (code: string, ...values: unknown[]) => (explainUnstorable(refusal(code), values) as Error).message;
    expect(explain('22P02', 7, '"\\ud83d"')).toMatch(/^Parameter \$2 holds half of a character/);
    expect(explain('22P05', '"\\u0000"')).toMatch(/^Parameter \$1 holds the character NUL/);
    expect(explain('22P02', '{', '"\\\\u0000"')).toBe('invalid input syntax for type json');
  });
});
