import { describe, expect, it, test } from 'vitest';
import { parseManifest } from '../../runtime/modules/manifest.ts';
import { isSafePattern } from '../../runtime/modules/safe-pattern.ts';
import { startCpuClock } from '../support/cpu-time.ts';

const HEAD = 'module_name: weather\nmodule_version: 1.0.0\n';

describe('a pattern of an author', () => {
  test.each([
    ['^[a-z0-9_-]+$'],
    ['^[^@]+@[^@]+$'],
    ['^https?://[^/]+/.*$'],
    ['^[a-f0-9]{64}$'],
    ['^\\d{4}-\\d{2}-\\d{2}$'],
    ['[A-Z]{2,5}'],
    ['^(mon|tue|wed|thu|fri|sat|sun)$'],
    ['^(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$'],
    ['^#[0-9a-f]{3}$|^#[0-9a-f]{6}$'],
    ['^a*?b*?$'],
    ['^(true|false)$'],
    ['[*+?{|(]'],
    ['\\*\\+\\?\\{\\|\\('],
  ])('may be %s', (pattern) => {
    expect(isSafePattern(pattern)).toBe(true);
  });

  test.each([
    ['doubts without end', 'a?'.repeat(66) + 'a'.repeat(66)],
    ['four doubts', '^a?a?a?a?$'],
    ['two repeats that begin anywhere', 'a*a*b'],
    ['two repeats in a choice that begins anywhere', '^a|b*b*c'],
    ['three repeats', '^a*a*a*b'],
    ['three counted repeats', '^a{1,99}a{1,99}a{1,99}b'],
    ['an open count', '^a{1,}a{1,}a{1,}b'],
    ['choices that fit at once', '(a|a)'.repeat(33)],
    ['choices in choices', '((a|a)|(a|a))((a|a)|(a|a))b'],
    ['choices that begin with what may be left out', '(x?a|y{0}a|[a]|a)(x?a|y{0}a|[a]|a)b'],
    ['repeats before long rows', '^a*a*a{333}b'],
    ['a repeated group', '(a+)+$'],
    ['a group that is counted', '(a*){9}'],
    ['a look back', '(a*)\\1'],
    ['a named look back', '(?<x>a)\\k<x>'],
    ['a look ahead', '^(?=a)b'],
    ['classes by property', '^\\p{L}+$'],
    ['no pattern', '['],
    ['a number', 3],
  ])('is refused: %s', (_title, pattern) => {
    expect(isSafePattern(pattern)).toBe(false);
  });

  it('takes little, whatever passes', () => {
    const usedMs = startCpuClock();
    for (const pattern of ['^a*a*a?a?a?b', '^a*a*(a|a)(a|a)(a|a)b', 'a*a?a?a?aab', '^.*.*a{58}b']) {
      expect(isSafePattern(pattern)).toBe(true);
      new RegExp(pattern, 'u').test('a'.repeat(999));
    }
    expect(usedMs()).toBeLessThan(10_000);
  });
});

describe('texts that have to match', () => {
  const schema = (node: string): string => `settings_schema: { properties: { a: ${node} } }\n`;
  const reasons = (text: string, environment?: Record<string, string>): string => {
    const parsed = parseManifest(HEAD + text, 'config.yaml', environment === undefined ? {} : { environment });
    return parsed.ok ? '' : parsed.issues.map(({ key, message }) => `${key}: ${message}`).join('\n');
  };
  const long = 'a'.repeat(1_001);

  test.each([
    ['a setting', `settings: { a: ${long} }\n${schema('{ pattern: ^b }')}`],
    ['one for a format', `settings: { a: ${long} }\n${schema('{ format: email }')}`],
    ['a default', schema(`{ pattern: ^a, default: ${long} }`)],
    [
      'a default below a default',
      schema(`{ type: object, default: {}, properties: { b: { pattern: ^a, default: ${long} } } }`),
    ],
    ['an item of a default', schema(`{ type: array, items: { pattern: ^a }, default: [${long}] }`)],
    ['a secret', `settings: { a: ${long} }\n${schema('{ pattern: ^a, writeOnly: true }')}`],
  ])('have at most 1000 characters: %s', (_title, text) => {
    expect(reasons(text)).toMatch(/settings\.a.*found text of 1001 characters; allowed are 1000/);
  });

  it('are bounded together, too', () => {
    const list = (count: number): string =>
      `settings: { a: [${Array(count).fill('a'.repeat(1_000)).join(', ')}] }\n${schema('{ type: array, items: { pattern: ^a } }')}`;
    expect(reasons(list(4))).toBe('');
    expect(reasons(list(5))).toMatch(/settings\.a\.?\[?4\]?: found more text than is held against patterns/);
  });

  it('meet no pattern on their way from the environment', () => {
    const usedMs = startCpuClock();
    const environment = { PLEXI_MODULE__WEATHER__SETTINGS__A: 'a'.repeat(100_000) };
    expect(reasons(schema('{ pattern: "^a*a*b" }'), environment)).toMatch(/found text of 100000 characters/);
    expect(usedMs()).toBeLessThan(2_000);
  });

  it('leave defaults below as they are filled in', () => {
    const parsed = parseManifest(
      `${HEAD}${schema('{ type: object, default: {}, properties: { b: { default: x } } }')}`,
      'c',
    );
    expect(parsed).toMatchObject({ ok: true, manifest: { settings: { a: { b: 'x' } } } });
  });
});
