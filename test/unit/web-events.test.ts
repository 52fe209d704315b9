import { beforeAll, describe, expect, it } from 'vitest';
import { createWebRealm, judge, runInNode, type WebRealm } from '../support/web-realm.ts';

let realm: WebRealm;
beforeAll(async () => {
  realm = await createWebRealm();
});

async function expectSame(body: string): Promise<void> {
  const code = `await (async () => { ${body} })()`;
  const [ours, nodes] = await Promise.all([judge(realm.run, code), judge(runInNode, code)]);
  expect(ours, code).toBe(nodes);
}

describe('events', () => {
  it.each([
    `const t = new EventTarget(), seen = []; const f = (e) => seen.push(e.type, e.target === t, e.currentTarget === t, e.eventPhase); t.addEventListener('a', f); t.addEventListener('a', f); t.addEventListener('a', { handleEvent(e) { seen.push(this !== t, e.type); } }, { once: true });
     t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); t.removeEventListener('a', f); t.dispatchEvent(new Event('a')); return seen;`,
    `const t = new EventTarget(), seen = []; t.addEventListener('a', (e) => { e.preventDefault(); e.stopImmediatePropagation(); }); t.addEventListener('a', () => seen.push(1)); const e = new Event('a', { cancelable: true }); return [t.dispatchEvent(e), e.defaultPrevented, seen];`,
    `const t = new EventTarget(); t.addEventListener('a', (e) => e.preventDefault(), { passive: true }); return t.dispatchEvent(new Event('a', { cancelable: true }));`,
    `const t = new EventTarget(), c = new AbortController(), seen = []; t.addEventListener('a', () => seen.push(1), { signal: c.signal }); t.dispatchEvent(new Event('a')); c.abort(); t.dispatchEvent(new Event('a')); return seen;`,
    `const e = new CustomEvent('x', { detail: { a: 1 } }); return [e.detail, e.type, e instanceof Event, new CustomEvent('y').detail];`,
    `new Event();`,
  ])('behave as in Node: %s', (body) => expectSame(body));

  it('refuse what the standard refuses, where Node has errors of its own', async () => {
    expect(
      await judge(
        realm.run,
        `(() => { const t = new EventTarget(), e = new Event('a'); let name; t.addEventListener('a', () => { try { t.dispatchEvent(e); } catch (error) { name = error.name; } }); t.dispatchEvent(e); return name; })()`,
      ),
    ).toBe('"InvalidStateError"');
    expect(await judge(realm.run, 'AbortSignal.timeout(-1)')).toBe('throws TypeError');
  });

  it('go on after a listener that throws, and log it', async () => {
    const fresh = await createWebRealm();
    expect(
      fresh.run(
        `const t = new EventTarget(); let after = 0; t.addEventListener('a', () => { throw new Error('boom'); }); t.addEventListener('a', () => { after = 1; }); t.dispatchEvent(new Event('a')); after`,
      ),
    ).toBe(1);
    expect(fresh.logged).toEqual(['error A listener for "a" threw Error: boom']);
  });
});

describe('AbortController', () => {
  it.each([
    `const c = new AbortController(), seen = []; c.signal.onabort = (e) => seen.push(e.type); c.signal.addEventListener('abort', () => seen.push(2)); c.abort(); c.abort('again'); return [seen, c.signal.aborted, c.signal.reason.name, c.signal.reason.code, c.signal.reason instanceof DOMException];`,
    `const c = new AbortController(); c.abort('why'); return c.signal.reason;`,
    `AbortSignal.abort(new TypeError('x')).throwIfAborted();`,
    `new AbortController().signal.throwIfAborted(); return 1;`,
    `const a = new AbortController(), b = new AbortController(), any = AbortSignal.any([a.signal, b.signal]); let n = 0; any.addEventListener('abort', () => n++); b.abort('b'); a.abort('a'); return [any.reason, n];`,
    `return AbortSignal.any([AbortSignal.abort('x'), new AbortController().signal]).reason;`,
    `return AbortSignal.any([]).aborted;`,
    `const s = AbortSignal.timeout(1); await new Promise((r) => s.addEventListener('abort', r)); return [s.reason.name, s.reason.code];`,
    `new AbortSignal();`,
  ])('behaves as in Node: %s', (body) => expectSame(body));
});

describe('DOMException', () => {
  it.each([
    `const e = new DOMException('m', 'AbortError'); return [e.name, e.message, e.code, e instanceof Error, DOMException.ABORT_ERR, e.ABORT_ERR, Object.prototype.toString.call(e), String(e)];`,
    `const e = new DOMException(); return [e.name, e.message, e.code];`,
    `return [DOMException.NOT_SUPPORTED_ERR, DOMException.DATA_CLONE_ERR, DOMException.INVALID_STATE_ERR, DOMException.TIMEOUT_ERR, DOMException.URL_MISMATCH_ERR, DOMException.INDEX_SIZE_ERR];`,
  ])('behaves as in Node: %s', (body) => expectSame(body));
});

describe('structuredClone', () => {
  it.each([
    `return structuredClone({ a: [1, , 'x', null, undefined], d: new Date(5), n: NaN });`,
    `const o = { m: new Map([[{ k: 1 }, new Set([1])]]), r: /a/gi }; o.self = o; const c = structuredClone(o); return [c.self === c, c.m.size, c.r.source, c.r.flags, c.r.lastIndex, c !== o];`,
    `const b = new ArrayBuffer(8), c = structuredClone({ a: new Uint8Array(b, 2, 3), b, v: new DataView(b) }); return [c.a.buffer === c.b, c.a.length, c.a.byteOffset, c.v.byteLength];`,
    `const b = new ArrayBuffer(4), v = new Uint8Array(b); v[1] = 7; const c = structuredClone(v, { transfer: [b] }); return [c[1], b.byteLength, v.length];`,
    `const e = structuredClone(new RangeError('x', { cause: 1 })); return [e.name, e.message, e instanceof RangeError, e.cause];`,
    `class A { x = 1; get y() { return 2; } } const c = structuredClone(new A()); return [c, c instanceof A];`,
    `return [structuredClone(Object('s')), structuredClone(5n) === 5n, structuredClone(new Boolean(false)) instanceof Boolean];`,
    `return Object.keys(structuredClone(JSON.parse('{"__proto__": {"x": 1}}')));`,
    `structuredClone(() => 1);`,
    `structuredClone(Symbol());`,
    `structuredClone({ a: { b() {} } });`,
    `structuredClone(new WeakMap());`,
    `structuredClone(Promise.resolve());`,
  ])('behaves as in Node: %s', (body) => expectSame(body));
});

describe('streams', () => {
  it.each([
    `const s = new ReadableStream({ start(c) { c.enqueue('ä'); c.enqueue('\\ud83d'); c.enqueue('\\ude00'); c.close(); } }).pipeThrough(new TextEncoderStream()); const all = []; for await (const c of s) all.push(...c); return all;`,
    `const s = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([0xc3])); c.enqueue(new Uint8Array([0xa4, 0xff])); c.close(); } }).pipeThrough(new TextDecoderStream()); let t = ''; for await (const c of s) t += c; return t;`,
    `const [a, b] = new Response('xyz').body.tee(); return [await new Response(a).text(), await new Response(b).text()];`,
    `const t = new TransformStream({ transform(c, k) { k.enqueue(c * 2); } }); const w = t.writable.getWriter(); void w.write(4); void w.close(); const r = t.readable.getReader(); const { value, done } = await r.read(); return [value, done, (await r.read()).done];`,
    `const s = ReadableStream.from([1, 2]); const all = []; for await (const x of s) all.push(x); return all;`,
    `const c = new AbortController(); const p = new ReadableStream().pipeTo(new WritableStream(), { signal: c.signal }); c.abort(); return p;`,
  ])('behave as in Node: %s', (body) => expectSame(body));
});
