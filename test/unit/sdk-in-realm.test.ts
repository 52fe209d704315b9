import vm from 'node:vm';
import { DeclarationSchema } from '@plexichat/sdk/protocol/declaration';
import { ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleAuthorCode } from '../support/author-module.ts';
import { bundleForGuest, createSealedContext } from '../support/web-realm.ts';

const KERNEL = `
import { createSdk } from './sdk/guest.ts';
import { createRunner } from './sdk/module/runner.ts';
import { installWebGlobals } from './runtime/guest/web/index.ts';
globalThis.boot = (manifest, host, main, platform) => {
  installWebGlobals(globalThis, platform);
  const module = { exports: {} };
  const sdk = createSdk();
  main(() => sdk, module, module.exports);
  return createRunner(module.exports, JSON.parse(manifest), host);
};
`;

const MODULE = `
import { BaseModule, cacheResult, HttpError, moduleEndpoint, moduleTask, Type } from '@plexichat/sdk';
const Note = Type.Object({ title: Type.String({ maxLength: 80 }) });
export default class Notes extends BaseModule {
  @moduleEndpoint('GET /plain') plain({ query }) { return { ok: true, query }; }
  @moduleEndpoint('POST /notes', { body: Note }) note({ body, json }) { return json(body, 201); }
  @moduleEndpoint('POST /echo') async echo({ request }) { return new Response(request.body, { headers: { 'x-a': 'b' } }); }
  @moduleEndpoint('POST /upload') async upload({ request }) { return [...(await request.formData()).keys()]; }
  @moduleEndpoint('GET /bytes') bytes() { return new Response(new Uint8Array([104, 195, 164])); }
  @moduleEndpoint('GET /image') image() { return new Response(new Uint8Array([255, 216, 0])); }
  @moduleEndpoint('GET /fetch') async get({ signal }) { return (await this.http.fetch('https://a.test/x', { signal })).json(); }
  @moduleEndpoint('GET /teapot') teapot() { throw new HttpError(418, 'short and stout'); }
  @moduleEndpoint('GET /wait') wait({ signal }) { return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))); }
  @moduleTask({ schedule: '0 2 * * *' }) @cacheResult({ ttl: 5 }) async task() {}
}`;

interface Realm {
  runner: {
    declaration: unknown;
    initialize(): Promise<void>;
    invoke(request: object, body: object): Promise<never>;
    cancel(id: number): boolean;
  };
  calls: unknown[][];
  written: { read(): Promise<Uint8Array | undefined> }[];
  run(code: string): unknown;
}

let kernel: string;
let author: string;
let simple: string;
beforeAll(async () => {
  [kernel, author, simple] = await Promise.all([
    bundleForGuest(KERNEL),
    bundleAuthorCode(MODULE),
    bundleAuthorCode(MODULE.replace(/Type\.Object.*;/, '1;').replace('{ body: Note }', '{}')),
  ]);
});

function boot(answer: unknown = null, code = author): Realm {
  const context = createSealedContext();
  vm.runInContext('delete globalThis.console; delete globalThis.WebAssembly; delete globalThis.Atomics', context);
  vm.runInContext(kernel, context);
  const main = vm.compileFunction(code, ['require', 'module', 'exports'], { parsingContext: context });
  const calls: unknown[][] = [];
  const written: Realm['written'] = [];
  const host = {
    call: async (...args: unknown[]) => {
      calls.push(args);
      return answer;
    },
    log() {},
    readStream: () => {
      const chunks = [new Uint8Array([123, 34, 97, 34]), new Uint8Array([58, 49, 125])];
      return { read: async () => chunks.shift(), cancel() {} };
    },
    writeStream: (source: Realm['written'][number]) => written.push(source),
    setTimeout: () => 1,
    clearTimeout() {},
  };
  const manifest = JSON.stringify(Value.Default(ManifestSchema, { module_name: 'notes', module_version: '1.0.0' }));
  const platform = { seed: new Uint8Array(32), log() {}, setTimeout: () => 1, clearTimeout() {} };
  const runner = vm.runInContext('globalThis', context).boot(manifest, host, main, platform);
  return { runner, calls, written, run: (code) => vm.runInContext(code, context) };
}

const request = (handler: string, more: object = {}) => {
  const [method, path] = handler.split(' ');
  return {
    invocation: 1,
    handler,
    method,
    url: `http://127.0.0.1:8080${path}`,
    headers: [],
    params: {},
    query: {},
    user: null,
    requestId: 'r',
    deadline: 0,
    ...more,
  };
};
const TOUCHED = `Object.getOwnPropertyNames(globalThis).filter((n) => /^(URL|Request|Response|Headers|ReadableStream|AbortController|TextEncoder|TextDecoder|Blob|crypto|console)$/.test(n) && Object.getOwnPropertyDescriptor(globalThis, n).get === undefined)`;

describe('the sdk in a sealed realm', () => {
  it('declares and starts a module, decorators and schemas included', async () => {
    const { runner } = boot();
    const declaration = JSON.parse(JSON.stringify(runner.declaration));
    expect(Value.Check(DeclarationSchema, declaration)).toBe(true);
    expect(declaration.endpoints[1].schemas.body).toEqual({
      type: 'object',
      required: ['title'],
      properties: { title: { type: 'string', maxLength: 80 } },
    });
    await runner.initialize();
  });

  it('answers a plain GET and a thrown HttpError without loading one web global', async () => {
    const { runner, run } = boot(null, simple);
    expect(await runner.invoke(request('GET /plain', { query: { a: '1' } }), { kind: 'none' })).toEqual({
      ok: true,
      status: 200,
      headers: [['content-type', 'application/json']],
      body: { kind: 'text', text: '{"ok":true,"query":{"a":"1"}}' },
    });
    expect(await runner.invoke(request('GET /teapot'), { kind: 'none' })).toEqual({
      ok: false,
      code: 'MODULE_HTTP_ERROR',
      status: 418,
      message: 'short and stout',
    });
    expect(run(TOUCHED)).toEqual([]);
  });

  it('sends text inline, small UTF-8 bytes as text, and other bytes as a stream', async () => {
    const { runner, run, written } = boot();
    expect(await runner.invoke(request('POST /notes'), { kind: 'text', text: '{"title":"ä"}' })).toMatchObject({
      status: 201,
      body: { kind: 'text', text: '{"title":"ä"}' },
    });
    expect(run(TOUCHED)).not.toContain('ReadableStream');
    expect(await runner.invoke(request('GET /bytes'), { kind: 'none' })).toMatchObject({
      body: { kind: 'text', text: 'hä' },
    });
    expect(await runner.invoke(request('GET /image'), { kind: 'none' })).toMatchObject({
      body: { kind: 'stream', stream: 1 },
    });
    expect([...((await written[0]?.read()) ?? [])]).toEqual([255, 216, 0]);
    expect(run(TOUCHED)).not.toContain('ReadableStream');
  });

  it('reads an answer of fetch that is streamed without loading streams or URL', async () => {
    const { runner, calls, run } = boot({
      status: 200,
      statusText: '',
      url: 'https://a.test/x',
      headers: [],
      body: { kind: 'stream', stream: 1 },
    });
    expect(await runner.invoke(request('GET /fetch'), { kind: 'none' })).toMatchObject({ body: { text: '{"a":1}' } });
    expect(calls[0]).toEqual([
      'http',
      'fetch',
      [{ id: 1, method: 'GET', url: 'https://a.test/x', headers: [], body: { kind: 'none' } }],
    ]);
    expect(run(TOUCHED)).not.toContain('ReadableStream');
    expect(run(TOUCHED)).not.toContain('URL');
  });

  it('passes a streamed body through, and reads a streamed form', async () => {
    const { runner, written } = boot();
    const echoed = await runner.invoke(request('POST /echo'), { kind: 'stream', stream: 1 });
    expect(echoed).toMatchObject({ headers: [['x-a', 'b']], body: { kind: 'stream', stream: 1 } });
    let text = '';
    for (let chunk = await written[0]?.read(); chunk !== undefined; chunk = await written[0]?.read())
      text += new TextDecoder().decode(chunk);
    expect(text).toBe('{"a":1}');
    const form = request('POST /upload', { headers: [['content-type', 'application/x-www-form-urlencoded']] });
    expect(await runner.invoke(form, { kind: 'stream', stream: 2 })).toMatchObject({
      body: { text: '["{\\"a\\":1}"]' },
    });
  });

  it('cancels', async () => {
    const { runner } = boot();
    const answer = runner.invoke(request('GET /wait', { invocation: 9 }), { kind: 'none' });
    expect(runner.cancel(9)).toBe(true);
    expect(await answer).toMatchObject({
      ok: false,
      code: 'MODULE_ERROR',
      message: 'Notes.wait failed: AbortError: This operation was aborted',
    });
  });
});
