import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { bundleForGuest, createSealedContext, createWebRealm, judge, runInNode } from '../support/web-realm.ts';

const NAMES = [
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'Headers',
  'Request',
  'Response',
  'FormData',
  'Blob',
  'File',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
  'TextDecoderStream',
  'TextEncoderStream',
  'Event',
  'EventTarget',
  'CustomEvent',
  'AbortController',
  'AbortSignal',
  'DOMException',
  'structuredClone',
  'atob',
  'btoa',
  'crypto',
  'performance',
  'console',
];

describe('the web globals', () => {
  it('are all there, once touched', async () => {
    const realm = await createWebRealm();
    for (const name of NAMES) expect(realm.run(`typeof ${name}`), name).toMatch(/function|object/);
    expect(realm.run('self === globalThis')).toBe(true);
  });

  it('run none of a group’s code before the group is touched', async () => {
    const { groups, loaded } = await instrumented();
    expect(groups.length).toBeGreaterThan(20);
    const always = ['lazy.ts', 'platform.ts'];
    expect(loaded('')).toEqual(always);
    expect(loaded('typeof Headers')).toEqual(['headers.ts', ...always]);
    expect(loaded('typeof TextEncoder')).toEqual([
      'encoding.ts',
      'headers.ts',
      ...always,
      'text-builder.ts',
      'utf8.ts',
    ]);
  });

  it('load neither streams nor URL for a JSON answer, a text body and a form', async () => {
    const { loaded } = await instrumented();
    const heavy = ['streams.ts', 'url.ts', 'blob.ts', 'crypto.ts', 'multipart.ts'];
    await loaded.settled(`(async () => {
      await Response.json({ a: 1 }, { headers: { x: 'y' } }).json();
      await new Request('http://127.0.0.1:8080/api/v1/x?q=%20{{secret.a}}', { method: 'POST', body: 'text' }).text();
      new AbortController().signal.aborted;
    })()`);
    expect(loaded('').filter((file) => heavy.includes(file))).toEqual([]);
  });

  it('are not enumerable, and are the author’s to replace, before and after they load', async () => {
    const realm = await createWebRealm();
    expect(realm.run('Object.keys(globalThis).filter((k) => k !== "install")')).toEqual([]);
    expect(realm.run('URL = 5; globalThis.URL')).toBe(5);
    expect(realm.run('new URLSearchParams("a=1").get("a")')).toBe('1');
    expect(realm.run('URL')).toBe(5);
    expect(realm.run('Headers; Headers = 6; Headers')).toBe(6);
    expect(realm.run('delete globalThis.Blob; typeof Blob')).toBe('undefined');
  });

  it('give each realm its own classes, made of that realm only', async () => {
    const realm = await createWebRealm();
    const leaks = realm.run(`(() => {
      const own = Object.getPrototypeOf(Function.prototype), seen = new Set(), bad = [];
      const look = (value, path, depth) => {
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 6) return;
        seen.add(value);
        let root = value;
        for (let p = value; p !== null; p = Object.getPrototypeOf(p)) root = p;
        if (root !== own && root !== value && Object.getPrototypeOf(value) !== null) bad.push(path);
        for (const key of Reflect.ownKeys(value)) {
          const d = Object.getOwnPropertyDescriptor(value, key);
          for (const [part, v] of Object.entries(d)) look(v, path + '.' + String(key) + ':' + part, depth + 1);
        }
      };
      for (const name of ${JSON.stringify(NAMES)}) look(globalThis[name], name, 0);
      return bad.join();
    })()`);
    expect(leaks).toBe('');
  });
});

describe('console', () => {
  it('writes lines to the module’s log', async () => {
    const realm = await createWebRealm();
    realm.run(`console.debug('d'); console.log('%s has %d', 'a', 2, { b: [1, 'x', null] }); console.warn(new TypeError('no')); console.error(undefined, -0, 5n, Symbol('s'));
      console.table([{ a: 1, b: 'xx' }, { a: 22, b: 'y' }]); console.group('g'); console.info('in'); console.groupEnd(); console.assert(1 > 2, 'math'); console.count(); console.trace('t')`);
    expect(realm.logged).toEqual(
      [
        'debug d',
        'info a has 2 { b: [ 1, "x", null ] }',
        'warn TypeError: no',
        'error undefined -0 5n Symbol(s)',
        'info 0  a=1   b=xx\n1  a=22  b=y',
        'info g',
        'info   in',
        'error Assertion failed: math',
        'info default: 1',
        'debug Trace: t',
      ].map((line) => (line.startsWith('warn') ? expect.stringContaining(line) : line)),
    );
  });

  it('runs no code of what it shows', async () => {
    const realm = await createWebRealm();
    realm.run(`globalThis.ran = 0;
      const hook = () => { ran++; return 'hooked'; };
      console.log({ get a() { return hook(); }, toString: hook, toJSON: hook, [Symbol.toPrimitive]: hook, [Symbol.for('nodejs.util.inspect.custom')]: hook });
      class Named { get [Symbol.toStringTag]() { return hook(); } }
      console.log(new Named(), Object.defineProperty(new Error('x'), 'stack', { get: hook }), Object.defineProperty({}, 'constructor', { get: hook }));
      console.table([{ get a() { return hook(); } }])`);
    expect(realm.run('ran')).toBe(0);
    expect(realm.logged[0]).toContain('a: [Getter]');
  });

  it('survives cycles, depth, width and length', async () => {
    const realm = await createWebRealm();
    realm.run(`const a = { name: 'a' }; a.self = a; console.log(a);
      let deep = {}; for (let i = 0; i < 1e4; i++) deep = { deep }; console.log(deep);
      console.log(Array.from({ length: 1e5 }, (_, i) => i)); console.log('x'.repeat(1e6)); console.log(new Proxy({}, { ownKeys() { throw 1 } }));
      console.log(Object.create(null), new Map([[{}, new Set([1])]]), new Uint8Array(3), () => 1, class K {})`);
    expect(realm.logged[0]).toBe('info { name: "a", self: [Circular] }');
    expect(realm.logged[1]).toContain('[Object]');
    expect(realm.logged[2]).toContain('99950 more');
    expect(realm.logged[4]).toBe('info [Unreadable]');
    expect(realm.logged[5]).toBe(
      'info [Object: null prototype] {} Map(1) { {} => Set(1) { 1 } } Uint8Array(3) [ 0, 0, 0 ] [Function anonymous] [Function K]',
    );
    for (const line of realm.logged) expect(line.length).toBeLessThan(9000);
  });
});

describe('crypto and performance', () => {
  it.each(['SHA-1', 'SHA-256', 'sha-384', 'SHA-512'])('digest %s as Node does', async (algorithm) => {
    const realm = await createWebRealm();
    const code = `[...new Uint8Array(await crypto.subtle.digest('${algorithm}', new TextEncoder().encode('PlexiChat')))]`;
    expect(await judge(realm.run, code)).toBe(await judge(runInNode, code));
  });

  it('give random values that never repeat, and refuse what the standard refuses', async () => {
    const realm = await createWebRealm();
    expect(realm.run('new Set(Array.from({ length: 2000 }, () => crypto.randomUUID())).size')).toBe(2000);
    expect(realm.run('crypto.randomUUID()')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(realm.run('const v = new Uint32Array(8); crypto.getRandomValues(v) === v && v.some(Boolean)')).toBe(true);
    for (const code of [
      'crypto.getRandomValues(new Float32Array(2))',
      'crypto.getRandomValues(new Uint8Array(65537))',
      `await crypto.subtle.digest('MD5', new Uint8Array(1))`,
    ]) {
      expect(await judge(realm.run, code)).toMatch(/throws (TypeMismatchError|QuotaExceededError|NotSupportedError)/);
    }
  });

  it('tell the time in whole milliseconds that never go back', async () => {
    const realm = await createWebRealm();
    expect(
      realm.run(
        'Number.isInteger(performance.now()) && performance.now() >= 0 && performance.timeOrigin <= Date.now()',
      ),
    ).toBe(true);
    realm.run('Date.now = () => 0');
    expect(realm.run('performance.now()')).toBeGreaterThanOrEqual(0);
  });
});

/** A bundle in which every file of the web folder notes that it ran. */
async function instrumented() {
  const text = await bundleForGuest(
    `import { installWebGlobals } from './runtime/guest/web/index.ts'; globalThis.install = installWebGlobals;`,
  );
  // esbuild names each lazily wrapped file; its first line is where the note goes.
  const groups: string[] = [];
  const noted = text.replace(/"runtime\/guest\/web\/([\w-]+\.ts)"\(\) \{/g, (head, file: string) => {
    groups.push(file);
    return `${head} globalThis.ran.push("${file}");`;
  });
  const context = createSealedContext();
  const global = vm.runInContext('globalThis.ran = []; delete globalThis.console; globalThis', context);
  vm.runInContext(noted, context);
  global.install(global, { seed: new Uint8Array(32), log() {}, setTimeout() {}, clearTimeout() {} });
  const loaded = (code: string): string[] => {
    vm.runInContext(code, context);
    return [...new Set<string>(global.ran)].sort();
  };
  loaded.settled = (code: string): Promise<unknown> => vm.runInContext(code, context);
  return { groups, loaded };
}
