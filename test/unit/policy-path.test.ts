import { PlexiError } from '@plexichat/sdk/protocol/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertPlainPath } from '../../runtime/policy/path.ts';
import { startCpuClock } from '../support/cpu-time.ts';

function isRefused(path: string): boolean {
  try {
    assertPlainPath(path);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(PlexiError);
    expect(error).toMatchObject({ code: 'NOT_FOUND' });
    return true;
  }
}

describe('a path', () => {
  it.each([
    '/',
    '/a',
    '/a/',
    '/api/v1/x/caf%C3%A9',
    '/a.b/c..d',
    '/a/.well-known',
    '/a/:b@c,d;e=f',
    "/a/(b)'*!$&+~_-",
    '/a/%20b',
  ])('%s passes', (path) => expect(isRefused(path)).toBe(false));

  it.each([
    ['doubled slashes', '//a'],
    ['doubled slashes inside', '/a//b'],
    ['a dot segment', '/a/./b'],
    ['a double dot segment', '/a/../b'],
    ['a double dot at the end', '/a/..'],
    ['encoded dots', '/a/%2e%2E/b'],
    ['one encoded dot', '/a/.%2e/b'],
    ['an encoded slash', '/a%2Fb'],
    ['an encoded backslash', '/a%5cb'],
    ['a backslash', '/a\\b'],
    ['NUL', '/a%00'],
    ['a line break', '/a%0d%0ab'],
    ['a raw control character', '/a\u0000b'],
    ['cut-off encoding', '/a%2'],
    ['encoding that is none', '/a%zz'],
    ['broken UTF-8', '/a%ff%fe'],
    ['an overlong slash', '/a%c0%af'],
    ['raw letters beyond ASCII', '/café'],
    ['a fragment', '/a#b'],
    ['no slash at the start', 'a'],
    ['nothing', ''],
    ['a very long path', `/${'a'.repeat(3000)}`],
  ])('with %s is refused', (_name, path) => expect(isRefused(path)).toBe(true));

  it('that passes means the same to a URL parser', () => {
    const parts = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '\\',
      'a',
      'b',
      '%00',
      '%C3%A9',
      '%',
      ';',
      '//',
      '@',
      ':',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
        const path = `/${pieces.join('')}`;
        if (isRefused(path)) return;
        expect(new URL(`http://host${path}`).pathname).toBe(path);
        expect(path).not.toMatch(/\/\//);
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused in linear time', () => {
    const cpuMs = startCpuClock();
    isRefused(`/${'a/'.repeat(1000)}\\`);
    isRefused(`/${'%41'.repeat(600)}\\`);
    expect(cpuMs()).toBeLessThan(300);
  });
});
