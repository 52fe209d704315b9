import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWebRealm, judge, runInNode, type WebRealm } from '../support/web-realm.ts';

let realm: WebRealm;
beforeAll(async () => {
  realm = await createWebRealm();
});

const PARTS = [
  'href',
  'origin',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
];
const partsOf = (url: string, base?: string) =>
  `(() => { const u = new URL(${JSON.stringify(url)}${base === undefined ? '' : `, ${JSON.stringify(base)}`}); return [${PARTS.map((part) => `u.${part}`)}, [...u.searchParams]]; })()`;

async function expectSame(code: string): Promise<void> {
  const [ours, nodes] = await Promise.all([judge(realm.run, code), judge(runInNode, code)]);
  expect(ours, code).toBe(nodes);
}

const URLS = [
  'https://example.com',
  'HTTP://EXAMPLE.com:80/A/../b/./c?x=1&y=%20z#frag',
  'http://user:p%40ss@host:8080/p;v=1?q',
  'http://[::1]:3000/',
  'http://[2001:db8::1:0:0:1]/',
  'http://[::ffff:1.2.3.4]/',
  'http://127.1/',
  'http://0x7f.1/',
  'http://017700000001/',
  'http://256.1.1.1/',
  'http://1.2.3.4.5/',
  'http://a b/',
  'http://a%41b/',
  'http://a%00b/',
  'http://ex ample.com/',
  '//no-scheme',
  '',
  'mailto:a@b?c',
  'data:text/plain,hi there',
  'javascript:alert(1)',
  'file:///C:/a/../b',
  'file://host/share',
  'http:\\\\host\\path',
  'http:/host/x',
  'http:host',
  'https://a/%zz?%zz#%zz',
  'http://a.b/ü?ü=ö#ä',
  'https://bücher.example/',
  'https://faß.de/',
  'https://ＧＯ.com/',
  'https://xn--bcher-kva.example/',
  'https://日本語。jp/',
  'https://☃.net/',
  'http://a:99999/',
  'http://a:/',
  'http://a:0/',
  'http://a:b@c:d/',
  'ws://h/',
  'foo://bar/baz?q#f',
  'foo:bar',
  'http://a/?a=b&a=c&&=d&e',
  'http://a/?\'"<>`{}|\\^[]',
  'http://a/\t\n\rb',
  ' http://a/ ',
  'http://a/..//../x',
  'http://a/%2e%2E/b',
  'http://a?b',
  'http://a#b?c',
  'blob:https://a.b/c',
  'http://a.b..c/',
  'http://-a-/',
  'http://a_b/',
];

describe('URL', () => {
  it.each(URLS)('reads %j as Node does', (url) => expectSame(partsOf(url)));

  it.each([
    ['b', 'http://a/c/d?e#f'],
    ['../b', 'http://a/c/d/e'],
    ['?q', 'http://a/b'],
    ['#h', 'http://a/b?c'],
    ['//x/y', 'https://a/'],
    ['/r', 'foo://h/p'],
    ['', 'http://a/b?c#d'],
    ['http:x', 'http://a/b/'],
    ['x', 'mailto:a'],
    ['#f', 'mailto:a'],
    ['C|/x', 'file:///D:/y'],
    ['.', 'http://a/b/c'],
    ['x', 'not a base'],
  ])('resolves %j against %j as Node does', (url, base) => expectSame(partsOf(url, base)));

  it.each([
    "u.protocol = 'http'",
    "u.protocol = 'foo'",
    "u.host = 'x:1'",
    "u.hostname = 'y'",
    "u.port = '443'",
    "u.port = '99999'",
    "u.port = ''",
    "u.pathname = 'a b?c#d'",
    "u.search = 'x=1'",
    "u.search = ''",
    "u.hash = 'h'",
    "u.username = 'a:b'",
    "u.password = '@'",
    "u.href = 'http://new/'",
    "u.searchParams.append('ä', 'b c')",
    "u.searchParams.delete('q')",
    'u.searchParams.sort()',
    "u.searchParams.set('q', '&=+')",
  ])('changes by %s as in Node', (change) =>
    expectSame(
      `(() => { const u = new URL('https://user@host:8443/p/a?q=1&b=2#f'); ${change}; return [u.href, u.origin, [...u.searchParams], JSON.stringify(u)]; })()`,
    ),
  );

  it('agrees with Node on whatever is put together', async () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '..',
      '/',
      '//',
      '?',
      '#',
      ':',
      '@',
      '%',
      '%2e',
      '[',
      ']',
      ' ',
      '\\',
      '&',
      '=',
      '+',
      'ä',
      '1',
      '0x',
      ';',
      '-',
      '_',
      '|',
      '{',
      '\t',
    );
    const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('http://h', 'https://', 'http:', 'foo:', 'foo://', ''),
        text,
        async (scheme, rest) => {
          await expectSame(partsOf(scheme + rest));
          await expectSame(partsOf(scheme + rest, 'https://base.test/x/y?z'));
        },
      ),
      // Not file: core-js drops an empty part after `..` there, in addresses that nothing here can reach.
      { numRuns: 300 },
    );
  });

  it('has canParse and parse', () =>
    expectSame(`[URL.canParse('x'), URL.canParse('x', 'http://a'), URL.parse('x'), URL.parse('x', 'http://a').href]`));
});

describe('URLSearchParams', () => {
  it.each([
    `new URLSearchParams('?a=1&b=%20+%zz&c')`,
    `new URLSearchParams({ a: 1, 'ä': '&' })`,
    `new URLSearchParams([['a', 1], ['a', 2]])`,
    `new URLSearchParams(new Map([['x', 'y']]))`,
  ])('reads %s as Node does', (make) =>
    expectSame(
      `(() => { const p = ${make}; return [p.toString(), [...p], p.size, p.get('a'), p.getAll('a'), p.has('a', '1'), [...p.keys()], [...p.values()]]; })()`,
    ),
  );

  it('round-trips any text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), { maxLength: 5 }),
        (pairs) =>
          expectSame(
            `(() => { const s = new URLSearchParams(${JSON.stringify(pairs)}).toString(); return [s, [...new URLSearchParams(s)]]; })()`,
          ),
      ),
      { numRuns: 200 },
    );
  });
});

describe('Request, when it keeps a URL as it is', () => {
  it('has the url that Node’s Request has', async () => {
    for (const url of URLS) await expectSame(`new Request(${JSON.stringify(url)}).url.split('#')[0]`);
    const piece = fc.constantFrom(
      'a',
      '.',
      '/',
      '/.',
      '/..',
      '?',
      ':80',
      ':443',
      ':8080',
      '%2e',
      '%41',
      '{',
      '}',
      "'",
      '"',
      '<',
      '|',
      '^',
      '`',
      '\\',
      '[',
      ' ',
      '-',
      '_',
      '~',
      '=',
      '&',
      '127.0.0.1',
      '1.2',
      'b.c',
      '[]',
    );
    const text = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('http://', 'https://', 'http://a', 'http://127.0.0.1', 'https://a.b/'),
        text,
        (start, rest) => expectSame(`new Request(${JSON.stringify(start + rest)}).url`),
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    'http://127.0.0.1./',
    'http://1.2.3.4:8080/',
    'http://xn--a.b/',
    'http://a.xn--ls8h.b/',
    'http://1.2.3.4./x',
  ])('has it for %s as well', async (url) => {
    await expectSame(`new Request(${JSON.stringify(url)}).url`);
  });
});
