import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWebRealm, judge, runInNode, type WebRealm } from '../support/web-realm.ts';

let realm: WebRealm;
beforeAll(async () => {
  realm = await createWebRealm();
});

async function expectSame(code: string): Promise<void> {
  const [ours, nodes] = await Promise.all([judge(realm.run, code), judge(runInNode, code)]);
  expect(ours, code).toBe(nodes);
}

/** Statements whose last line returns. */
const block = (code: string) => `await (async () => { ${code} })()`;

describe('Headers', () => {
  it.each([
    `[...new Headers({ B: '2', a: ' 1 ', c: 'x' })]`,
    `[...new Headers([['a', '1'], ['A', '2'], ['set-cookie', 'x'], ['Set-Cookie', 'y']])]`,
    `new Headers([['set-cookie', 'x'], ['set-cookie', 'y']]).getSetCookie()`,
    `[new Headers({ a: '1' }).get('A'), new Headers().get('a'), new Headers({ a: '' }).has('a')]`,
    `[...new Headers(new Headers({ x: 'y' })).keys()]`,
    `new Headers([['a']])`,
    `new Headers('a')`,
    `new Headers(null)`,
    `new Headers({ 'a b': '1' })`,
    `new Headers({ '': '1' })`,
    `new Headers({ a: 'x\\ny' })`,
    `new Headers({ a: 'x\\u0000' })`,
    `new Headers({ a: '€' })`,
    `new Headers({ a: 'ÿ' }).get('a')`,
    `[...new Headers(new Map([['m', 'n']]))]`,
  ])('%s is what it is in Node', (code) => expectSame(code));

  it('changes as in Node, whatever is done to it', async () => {
    const name = fc.constantFrom('a', 'A', 'b', 'set-cookie', 'X-Y');
    const step = fc.oneof(
      fc
        .tuple(fc.constantFrom('append', 'set'), name, fc.constantFrom('1', '', ' x ', 'a, b'))
        .map(([method, key, value]) => `h.${method}('${key}', '${value}');`),
      name.map((key) => `h.delete('${key}');`),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) =>
        expectSame(
          block(
            `const h = new Headers(); ${steps.join('')} return [[...h], h.get('a'), h.getSetCookie(), [...h.values()]];`,
          ),
        ),
      ),
    );
  });
});

const BODIES = [
  `'hällo'`,
  `''`,
  `new Uint8Array([104, 228, 255])`,
  `new Uint8Array([1, 2, 3, 4]).buffer`,
  `new DataView(new ArrayBuffer(3), 1)`,
  `new Blob(['a', new Uint8Array([98])], { type: 'Text/X' })`,
  `new URLSearchParams({ a: '1 2', b: 'ü' })`,
  `new ReadableStream({ start(c) { c.enqueue(new Uint8Array([65, 66])); c.enqueue(new Uint8Array([67])); c.close(); } })`,
  `'{"a":[1,2]}'`,
  `'\\ufeffbom'`,
  `'\\ud800'`,
  `null`,
  `undefined`,
  `5`,
];
const READS = [
  'text()',
  'arrayBuffer().then((b) => [...new Uint8Array(b)])',
  'bytes().then((b) => [...b])',
  'blob().then(async (b) => [b.size, b.type, await b.text()])',
  'json()',
];

describe('bodies', () => {
  for (const body of BODIES) {
    it(`of ${body} read as in Node`, async () => {
      for (const read of READS) {
        await expectSame(
          block(
            `const r = new Response(${body}); const before = r.bodyUsed; const value = await r.${read}; return [r.headers.get('content-type'), before, value, r.bodyUsed, r.body === null];`,
          ),
        );
        await expectSame(
          block(
            `const r = new Request('http://a/', { method: 'POST', duplex: 'half', body: ${body} }); return [r.headers.get('content-type'), await r.${read}];`,
          ),
        );
        await expectSame(
          block(`const r = new Response(${body}); const c = r.clone(); return [await c.${read}, await r.${read}];`),
        );
        await expectSame(block(`const r = new Response(${body}); await r.text(); return r.${read};`));
      }
      await expectSame(
        block(
          `const r = new Response(${body}); let n = 0; for await (const chunk of r.body ?? []) n += chunk.length; return [n, r.bodyUsed];`,
        ),
      );
      await expectSame(block(`const r = new Response(${body}); r.body?.getReader(); return r.text();`));
      await expectSame(block(`const r = new Response(${body}); r.body?.getReader(); return r.clone();`));
    });
  }

  it('refuse a stream of something else than bytes, and a stream that failed', async () => {
    await expectSame(
      block(`return new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } })).text();`),
    );
    await expectSame(
      block(`return new Response(new ReadableStream({ start(c) { c.error(new RangeError('x')); } })).text();`),
    );
    await expectSame(block(`const s = new ReadableStream(); s.getReader(); return new Response(s);`));
  });
});

describe('forms', () => {
  it('of the urlencoded kind read as in Node', () =>
    expectSame(
      block(
        `const f = await new Response(new URLSearchParams('a=1&a=%C3%BC&b=')).formData(); return [[...f], f.getAll('a'), f.get('nope')];`,
      ),
    ));

  it('of the multipart kind survive a round trip with any names and contents', async () => {
    // Node cannot read a part whose name is empty.
    const text = fc.string({
      minLength: 1,
      unit: fc.constantFrom('a', '"', '\\r', '\\n', '%22', 'ü', ' ', ';', '--', '😀'),
    });
    await fc.assert(
      fc.asyncProperty(
        text,
        text,
        text,
        fc.array(fc.integer({ min: 0, max: 255 })),
        async (name, value, file, bytes) => {
          await expectSame(
            block(`const f = new FormData(); f.append('${name}', '${value}'); f.append('file', new File([new Uint8Array([${bytes}])], '${file}', { type: 'image/png' }));
          const g = await new Response(f).formData(); const back = g.get('file');
          return [[...g.keys()], g.get('${name.replace(/\\[rn]/g, '')}'), back.name, back.type, [...await back.bytes()]];`),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--x--\\r\\n', 'boundary=x'],
    [
      '--x\\r\\nContent-Disposition: form-data; name="f"; filename="n.txt"\\r\\nContent-Type: text/plain\\r\\n\\r\\n\\r\\n--x\\r\\n\\r\\n--x--',
      'boundary="x"',
    ],
    ['--x\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1', 'boundary=x'],
    ['garbage', 'boundary=x'],
    ['', 'boundary=x'],
    ['--x--', 'boundary=x'],
    ['--x\\r\\n\\r\\n\\r\\n--x--', 'boundary=x'],
    ['--x\\r\\n', ''],
  ])('read %j with %s as Node does', (body, parameter) =>
    expectSame(
      block(
        `const r = new Response('${body}', { headers: { 'content-type': 'multipart/form-data; ${parameter}' } }); return [...(await r.formData())].map(([k, v]) => [k, typeof v === 'string' ? v : v.name]);`,
      ),
    ),
  );

  it('FormData changes as in Node', () =>
    expectSame(
      block(`const f = new FormData(); f.append('a', 1); f.append('b', 2); f.append('a', 3); f.set('a', 4); f.set('c', 5); f.delete('b'); f.append('d', new Blob(['x']), 'n'); f.append('e', new Blob(['y']));
      return [[...f.keys()], f.getAll('a'), f.get('d').name, f.get('e').name, f.has('b'), f.get('d') instanceof File];`),
    ));

  it('refuses what is no form', async () => {
    await expectSame(block(`return new Response('a=1').formData();`));
    await expectSame(`new FormData().append('a', 'b', 'c')`);
  });
});

describe('Response', () => {
  it.each([
    `new Response('a', { status: 199 })`,
    `new Response('a', { status: 600 })`,
    `new Response('a', { status: 204 })`,
    `new Response(null, { status: 204 }).status`,
    `new Response('', { status: 304 })`,
    `new Response('a', { statusText: 'x\\ny' })`,
    `(({ status, statusText, ok, type, url, redirected }) => [status, statusText, ok, type, url, redirected])(new Response('a', { status: 418, statusText: 'Tea' }))`,
    `(async (r) => [r.status, [...r.headers], await r.json()])(Response.json({ a: 1 }, { status: 201, headers: { x: 'y' } }))`,
    `Response.json(undefined)`,
    `Response.json(() => 1)`,
    `Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type')`,
    `(r => [r.status, r.headers.get('location')])(Response.redirect('http://a/b c', 303))`,
    `Response.redirect('http://a/', 200)`,
    `Response.redirect('nope')`,
    `Response.redirect('http://a/').headers.set('a', 'b')`,
    `(r => [r.status, r.type, r.ok])(Response.error())`,
    `Response.error().headers.append('a', 'b')`,
    `Object.prototype.toString.call(new Response())`,
    `new Response('a').clone().headers.get('content-type')`,
    `new Response('x', { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type')`,
  ])('%s is what it is in Node', (code) => expectSame(code));
});

describe('Request', () => {
  it.each([
    `new Request('/relative')`,
    `new Request('http://u:p@a/')`,
    `new Request('http://a/', { method: 'GET', body: 'x' })`,
    `new Request('http://a/', { method: 'TRACE' })`,
    `new Request('http://a/', { method: 'a b' })`,
    `['get', 'Post', 'patch', 'PATCH', 'custom'].map((method) => new Request('http://a/', { method }).method)`,
    `(r => [r.method, r.url, r.redirect, r.bodyUsed, r.body, r.signal.aborted])(new Request('http://a/x', {}))`,
    block(
      `const r = new Request('http://a/', { method: 'POST', body: 'x', headers: { a: 'b' } }); const s = new Request(r, { headers: { c: 'd' } }); return [s.method, [...s.headers], await s.text(), r.bodyUsed];`,
    ),
    block(
      `const r = new Request('http://a/', { method: 'POST', body: 'x' }); const s = r.clone(); return [await s.text(), await r.text(), s.method, s.url];`,
    ),
    block(`const r = new Request('http://a/', { method: 'POST', body: 'x' }); await r.text(); return r.clone();`),
    block(
      `const r = new Request('http://a/', { method: 'POST', body: 'x' }); return new Request(r, { method: 'GET' });`,
    ),
    block(
      `const c = new AbortController(); const r = new Request('http://a/', { signal: c.signal }); c.abort(); return [r.signal.aborted, new Request(r).signal.aborted];`,
    ),
    `Object.prototype.toString.call(new Request('http://a/'))`,
  ])('%s is what it is in Node', (code) => expectSame(code));
});

describe('Blob and File', () => {
  it.each([
    `(async (b) => [b.size, b.type, await b.text(), await b.slice(1, -1).text(), b.slice(2, 1).size, b.slice(-2).size, b.slice(0, 1, 'A/B').type])(new Blob(['hé', new Uint8Array([33]), new Blob(['x'])], { type: 'X/Y' }))`,
    `new Blob('abc')`,
    `new Blob([1, null, {}]).text()`,
    `(f => [f.name, f.size, f.lastModified, f instanceof Blob])(new File(['a'], 'n', { lastModified: 5 }))`,
    `new File(['a'])`,
    `(async (s) => { let n = 0; for await (const c of s) n += c.length; return n; })(new Blob(['abc']).stream())`,
    `new Blob(['a'], { type: 'ü' }).type`,
  ])('%s is what it is in Node', (code) => expectSame(code));
});
