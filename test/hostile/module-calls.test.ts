/** Modules that lie when they call one another, or when they are called: who they are for, how many, what they say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const config = (name: string, ...lines: string[]): string =>
  [`module_name: ${name}`, 'module_version: 1.0.0', 'tasks: { enabled: false }', ...lines].join('\n');

const FILES = {
  'vault/config.yaml': config('vault'),
  'vault/module.ts': `
    import { BaseModule, moduleEndpoint, moduleMethod, Type, type EndpointContext, type MethodContext } from '@plexichat/sdk';
    export default class Vault extends BaseModule {
      @moduleMethod()
      whose(args: unknown, { caller, user }: MethodContext) { return { by: caller.module, user: user?.id ?? null, args }; }
      @moduleMethod()
      async hold(_args: unknown, { signal }: MethodContext) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
      @moduleMethod({ params: Type.Object({ keys: Type.Object({}, { additionalProperties: Type.Integer() }) }) })
      keys({ keys }: { keys: object }) { return Object.keys(keys); }
      @moduleEndpoint('GET /open')
      async open({ signal }: EndpointContext) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return null;
      }
      @moduleEndpoint('GET /well')
      well() { return 'well'; }
    }`,
  'liar/config.yaml': config('liar', 'required_permissions: ["modules:call:vault", "modules:call:mirror"]'),
  'liar/module.ts': `
    import { BaseModule, moduleEndpoint, type EndpointContext } from '@plexichat/sdk';
    const get = WeakMap.prototype.get;
    export default class Liar extends BaseModule {
      /** Names every invocation that there could be, in place of its own. */
      @moduleEndpoint('GET /guess')
      async guess({ signal }: EndpointContext) {
        const seen = new Set();
        for (let number = 0; number < 300; number++) {
          WeakMap.prototype.get = () => number;
          const call = this.modules.call('vault', 'whose', null, { signal });
          WeakMap.prototype.get = get;
          seen.add(await call.then(({ user }: any) => user, (error) => error.code));
        }
        return [...seen];
      }
      @moduleEndpoint('GET /flood')
      async flood() {
        const codes: Record<string, number> = {};
        const calls = Array.from({ length: 5_000 }, () => this.modules.call('vault', 'hold', null, { timeoutMs: 500 }));
        for (const { reason } of (await Promise.allSettled(calls)) as any[]) codes[reason.code] = (codes[reason.code] ?? 0) + 1;
        return codes;
      }
      @moduleEndpoint('GET /odd')
      async odd() {
        const odd = ['\\0', '\\ud800', '\\u2028', JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2}')];
        const back = await this.modules.call<any>('vault', 'whose', odd);
        const keys = JSON.parse('{"keys":{"__proto__":1,"constructor":2,"hasOwnProperty":3}}');
        return { same: JSON.stringify(back.args) === JSON.stringify(odd), keys: await this.modules.call('vault', 'keys', keys) };
      }
      @moduleEndpoint('GET /mirror/:method')
      mirror({ params }: EndpointContext<{ params: { method: string } }>) {
        return this.modules.call('mirror', params.method, null, { timeoutMs: 2_000 }).then(
          (value) => ({ value }),
          (error) => ({ code: error.code, message: error.message, keys: Object.keys(error) }));
      }
    }`,
  'mirror/config.yaml': config('mirror'),
  'mirror/module.ts': `
    import { BaseModule, moduleMethod } from '@plexichat/sdk';
    const { stringify } = JSON;
    export default class Mirror extends BaseModule {
      @moduleMethod()
      proto() { return JSON.parse('{"__proto__":{"polluted":true}}'); }
      @moduleMethod()
      stack() { throw Object.assign(new Error('bad\\n    at /home/secret/module.ts:1:1'), { stack: 'a stack', code: 'INTERNAL' }); }
      @moduleMethod()
      long() { throw new Error('x'.repeat(1_000_000)); }
      @moduleMethod()
      thenable() { return { then(resolve: (value: unknown) => void) { resolve({ then: 'again' }); } }; }
      @moduleMethod()
      never() { return new Promise(() => {}); }
      @moduleMethod()
      getter() { return Object.defineProperty({}, 'a', { enumerable: true, get() { throw new Error('no'); } }); }
      @moduleMethod()
      later() { let n = 0; return { toJSON: () => (n++ === 0 ? 1 : 1n) }; }
    }`,
};

let at: TestHost;
beforeAll(async () => {
  at = await startTestHost({
    files: FILES,
    config: 'grants: { liar: ["modules:call:vault", "modules:call:mirror"] }',
  });
});
afterAll(() => at.close());

async function ask<Shape>(path: string, sub = 'mallory'): Promise<Shape> {
  const response = await at.fetch(`/api/v1/${path}`, { token: await at.token({ sub }) });
  expect(response.status).toBe(200);
  return (await response.json()) as Shape;
}

describe('a module that calls', () => {
  it('cannot be for a user whose request is open in another module, whatever number it names', async () => {
    const gone = new AbortController();
    const token = await at.token({ sub: 'alice' });
    const open = Array.from({ length: 5 }, () => at.fetch('/api/v1/vault/open', { token, signal: gone.signal }));
    for (const request of open) request.catch(() => {});
    await until(() => (at.host.registry.get('vault')?.underWay ?? 0) >= 5);
    const users = await ask<(string | null)[]>('liar/guess');
    gone.abort();
    // Its own request is one that it may name, and numbers that mean nothing are for nobody; 0 is no number at all.
    expect(new Set(users)).toEqual(new Set(['INVALID_CALL', null, 'mallory']));
  });

  it('without end holds thirty-two places for a moment, and its neighbours answer meanwhile', async () => {
    const flood = ask<Record<string, number>>('liar/flood');
    expect(await ask('vault/well')).toBe('well');
    const codes = await flood;
    expect(codes.MODULE_TIMEOUT).toBe(32);
    expect(Object.keys(codes).sort()).toEqual(['MODULE_OVERLOADED', 'MODULE_TIMEOUT', 'QUOTA_EXCEEDED']);
    await until(async () => (await ask<unknown[]>('liar/guess')).includes('mallory'));
    expect(at.host.registry.get('vault')?.state).toBe('running');
  });

  it('hands over odd texts and keys as what they are: data', async () => {
    expect(await ask('liar/odd')).toEqual({ same: true, keys: ['__proto__', 'constructor', 'hasOwnProperty'] });
  });
});

describe('a module that is called', () => {
  it.each<[string, string, object]>([
    ['answers with a prototype', 'proto', { value: {} }],
    ['answers with what waits', 'thenable', { value: Object.fromEntries([['then', 'again']]) }],
    ['never answers', 'never', { code: 'MODULE_TIMEOUT' }],
    ['answers with what throws when it is read', 'getter', { code: 'INVALID_MODULE_RESPONSE' }],
    ['answers with something else the second time', 'later', { value: 1 }],
  ])('%s harms nobody', async (_name, method, answer) => {
    expect(await ask(`liar/mirror/${method}`)).toMatchObject(answer);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('fails with a code of ours and a short message, and without its stack', async () => {
    const failure = await ask<{ code: string; message: string; keys: string[] }>('liar/mirror/stack');
    expect(failure.code).toBe('MODULE_ERROR');
    expect(JSON.stringify(failure)).not.toContain('a stack');
    const long = await ask<{ message: string }>('liar/mirror/long');
    expect(long.message.length).toBeLessThanOrEqual(2_000);
  });
});
