import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../runtime/capabilities/egress-target.ts';
import { parsePermission } from '../../runtime/capabilities/permission.ts';

function granted(...texts: string[]) {
  return texts.map((text) => {
    const parsed = parsePermission(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.permission;
  });
}
const read = (url: string, ...grants: string[]) => readTarget(url, granted(...grants), new Set(['localhost:8081']));
const code = (url: string, ...grants: string[]): unknown => {
  try {
    return read(url, ...grants).url.href;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('a URL that was granted', () => {
  it.each([
    ['https://api.example.com/x?y#z', 'http:api.example.com'],
    ['http://api.example.com/', 'http:api.example.com'],
    ['https://API.Example.COM/', 'http:api.example.com'],
    ['https://api.example.com:443/', 'http:api.example.com'],
    ['https://api.example.com:8443/', 'http:api.example.com:8443'],
    ['https://api.example.com/', 'http:api.example.com:443'],
    ['https://api.example.com/', 'http:*.example.com'],
    ['https://bücher.example/', 'http:xn--bcher-kva.example'],
  ])('is read: %s with %s', (url, grant) => expect(read(url, grant).url).toBeInstanceOf(URL));

  it('may be private only for the very host and port that the operator named', () => {
    expect(read('http://localhost:8081/', 'http:localhost:8081').mayBePrivate).toBe(true);
    expect(read('http://localhost/', 'http:localhost').mayBePrivate).toBe(false);
    expect(read('http://localhost:8082/', 'http:localhost:8082').mayBePrivate).toBe(false);
  });
});

describe('a URL that was not granted', () => {
  it.each([
    ['another host', 'https://evil.test/'],
    ['a host below the granted one', 'https://x.api.example.com/'],
    ['the host above it', 'https://example.com/'],
    ['a host that ends like it', 'https://evilapi.example.com/'],
    ['a host that begins like it', 'https://api.example.com.evil.test/'],
    ['a trailing dot', 'https://api.example.com./'],
    ['another port', 'https://api.example.com:8443/'],
    ['a user name that looks like the host', 'https://api.example.com@evil.test/'],
    ['a user name', 'https://user@api.example.com/'],
    ['a password', 'https://:secret@api.example.com/'],
    ['a backslash that moves the host', 'https://evil.test\\@api.example.com/'],
    ['a tab in the host', 'https://evil\t.test/'],
    ['full-width letters of another host', 'https://ｅｖｉｌ.test/'],
    ['ftp', 'ftp://api.example.com/'],
    ['file', 'file:///etc/passwd'],
    ['data', 'data:text/plain,x'],
    ['javascript', 'javascript:alert(1)'],
    ['gopher', 'gopher://api.example.com/'],
    ['ws', 'ws://api.example.com/'],
    ['blob', 'blob:https://api.example.com/x'],
    ['unix', 'unix:/var/run/docker.sock'],
    ['IPv4', 'http://127.0.0.1/'],
    ['IPv4 with a dot', 'http://127.0.0.1./'],
    ['short IPv4', 'http://127.1/'],
    ['decimal IPv4', 'http://2130706433/'],
    ['octal IPv4', 'http://0177.0.0.1/'],
    ['hexadecimal IPv4', 'http://0x7f000001/'],
    ['mixed IPv4', 'http://0x7f.0.0.0x1/'],
    ['full-width IPv4', 'http://１２７.0.0.1/'],
    ['encoded IPv4', 'http://%31%32%37.0.0.1/'],
    ['IPv6', 'http://[::1]/'],
    ['mapped IPv6', 'http://[::ffff:127.0.0.1]/'],
    ['IPv6 with a zone', 'http://[fe80::1%25eth0]/'],
  ])('is refused: %s', (_name, url) => {
    expect(code(url, 'http:api.example.com', 'http:localhost')).toMatch(/EGRESS_DENIED|INVALID_CALL/);
  });

  it.each([
    ['two levels under a star of one', 'https://a.b.example.com/', 'http:*.example.com'],
    ['the domain of a star itself', 'https://example.com/', 'http:*.example.com'],
    ['the usual port, granted was another', 'https://api.example.com/', 'http:api.example.com:8443'],
    ['anything without any grant', 'https://api.example.com/', 'database'],
  ])('is refused: %s', (_name, url, grant) => expect(code(url, grant)).toBe('EGRESS_DENIED'));

  it.each([
    '',
    '/relative',
    '//api.example.com/',
    'api.example.com',
    'https://',
    'https:///',
    'http://[',
    'http://%00/',
  ])('is no absolute URL: %j', (url) =>
    expect(code(url, 'http:api.example.com')).toMatch(/INVALID_CALL|EGRESS_DENIED/),
  );

  it('names the permission that it needs', () => {
    expect(() => read('https://evil.test:444/')).toThrow('http:evil.test:444');
  });
});

describe('for any text', () => {
  it('a URL is read only when its host is the granted one, and nothing but our own errors is thrown', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'http://',
        'https://',
        'api.example.com',
        'evil.test',
        '@',
        ':',
        '/',
        '\\',
        '?',
        '#',
        '.',
        '%2e',
        '443',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        try {
          const { url } = read(text, 'http:api.example.com');
          expect(url.hostname).toBe('api.example.com');
          expect(['', '80', '443']).toContain(url.port);
        } catch (error) {
          expect((error as { code?: unknown }).code).toMatch(/EGRESS_DENIED|INVALID_CALL/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
