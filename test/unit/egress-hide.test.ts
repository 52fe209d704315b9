/** Secrets in what an upstream wrote: found in every usual encoding, and quickly. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hideSecrets } from '../../runtime/capabilities/egress-hide.ts';
import { startCpuClock } from '../support/cpu-time.ts';

const hide = (text: string, ...values: string[]): string =>
  hideSecrets(text, new Map(values.map((value, index) => [value, `{{secret.s${index}}}`])));

const byPercent = (text: string): string => encodeURIComponent(text);
const everyByte = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'by percent': byPercent,
  'by percent in small letters': (text) => byPercent(text).replace(/%../g, (code) => code.toLowerCase()),
  'by percent, each byte': everyByte,
  'by percent of percent': (text) => byPercent(byPercent(text)),
  'by percent, three times': (text) => byPercent(byPercent(byPercent(text))),
  'as a form': (text) => new URLSearchParams({ k: text }).toString().slice(2),
  'as a form in a form': (text) => byPercent(new URLSearchParams({ k: text }).toString().slice(2)),
  'as the query of a URL': (text) => new URL(`http://a/?${byPercent(text)}`).search.slice(1),
  'as encodeURI has it': (text) => encodeURI(text),
  'as PHP’s rawurlencode has it': (text) =>
    byPercent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  'as UTF-8 that was taken for Latin-1': latin1,
  'as JSON': (text) => JSON.stringify(text).slice(1, -1),
  'as JSON in ASCII': (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[<>&'\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'as JSON by percent': (text) => byPercent(JSON.stringify(text).slice(1, -1)),
  'as a quoted string': (text) => text.replace(/["\\]/g, '\\$&'),
  'as HTML': (text) =>
    text.replace(/[&<>"']/g, (letter) =>
      String({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }[letter]),
    ),
  'as HTML in numbers': (text) => [...text].map((letter) => `&#x${letter.codePointAt(0)?.toString(16)};`).join(''),
  'in capitals': (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
};

const printable = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', minLength: 4, maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 4, maxLength: 20 }),
  // What encodings have a meaning for.
  fc.string({
    unit: fc.constantFrom('%', '2', '5', '4', '1', '+', ' ', '&', '\\', "'", '"', ';', 'a', 'é'),
    minLength: 4,
    maxLength: 12,
  }),
);

describe('a secret that comes back', () => {
  it.each(Object.entries(ENCODINGS))('%s is taken out, whatever it is', (_name, encode) => {
    fc.assert(
      fc.property(printable, fc.webQueryParameters(), fc.webQueryParameters(), (secret, before, after) => {
        const written = encode(secret);
        // The text around has letters of its own: what has to be gone is the secret as a whole.
        const hidden = hide(`https://a.test/x?a=${before}&k=${written}&b=${after}`, secret);
        expect(hidden).toContain('{{secret.s0}}');
        expect(hidden).not.toContain(`k=${written}&`);
      }),
      { numRuns: 300 },
    );
  });

  it('is taken out whole', () => {
    for (const encode of Object.values(ENCODINGS)) {
      expect(hide(`a=${encode("pa'ss wörd/(1)")}&b`, "pa'ss wörd/(1)")).toBe('a={{secret.s0}}&b');
    }
  });

  it('is taken out though each letter is written in another way', () => {
    const ways = Object.entries(ENCODINGS)
      .filter(([name]) => !name.includes('JSON'))
      .map(([, encode]) => encode);
    const secret = fc.string({ unit: 'grapheme-ascii', minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(secret, fc.array(fc.nat(ways.length - 1), { minLength: 20, maxLength: 20 }), (text, choices) => {
        const written = [...text].map((letter, index) => ways[choices[index] ?? 0]?.(letter) ?? letter).join('');
        expect(hide(`<${written}>`, text)).toContain('{{secret.s0}}');
      }),
      { numRuns: 500 },
    );
  });

  it('behind a percent sign that would swallow its first letters, is taken out all the same', () => {
    expect(hide('/landed?q=%41%20b%2Fc', '41 b/c')).toBe('/landed?q=%{{secret.s0}}');
    expect(hide('/landed?q=%2541+b%2fc', '41 b/c')).toBe('/landed?q=%25{{secret.s0}}');
  });

  it('decoded once too often is taken out too', () => {
    expect(hide('/landed?q=preApost', 'pre%41post')).toBe('/landed?q={{secret.s0}}');
  });

  it('that overlaps with another one, or with itself, leaves no rest', () => {
    expect(hide('x-abcdefghi-y', 'abcdef', 'defghi')).toBe('x-{{secret.s0}}-y');
    expect(hide('x-abcdefgh-y', 'abcd', 'abcdefgh')).toBe('x-{{secret.s1}}-y');
    expect(hide('x-abcabcabc-y', 'abcabc')).toBe('x-{{secret.s0}}-y');
    expect(hide('secret.s0 key', 'secret', 's0 key')).not.toContain('key');
  });
});

describe('a text without a secret', () => {
  it('stays as it is, to the letter', () => {
    const text = 'https://a.test/%C3%A9%zz%?q=a+b&amp;c=%2525#\\u00e9 \\" é 🙂';
    expect(hide(text, 'swordfish', 'open/se&same')).toBe(text);
    expect(hide('about abstract', 'ab')).toBe('about abstract');
    expect(hide(text)).toBe(text);
  });

  it('that looks like nearly one all along is given up on soon, and not shown', () => {
    const secret = `${'a'.repeat(20_000)}b`;
    const spent = startCpuClock();
    for (const text of ['a'.repeat(16_000), `a${'\\'.repeat(16_000)}`.repeat(4), `${'%25'.repeat(16_000)}`])
      hide(text, secret, '%'.repeat(5_000));
    expect(spent()).toBeLessThan(3_000);
    expect(hide('a'.repeat(16_000), secret)).toBe('{{secret.s0}}');
  });
});
