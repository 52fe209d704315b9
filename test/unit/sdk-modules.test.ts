/** What authors write to offer and to call methods, and to look into a module: the sdk's side, without a host. */
import { PermissionDeniedError } from '@plexichat/sdk';
import { openSignal } from '@plexichat/sdk/module/invocation-signal';
import { createRunner } from '@plexichat/sdk/module/runner';
import { snapshot } from '@plexichat/sdk/module/snapshot';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { createModuleHarness } from '@plexichat/sdk/testing';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { createModulesClient } from '../../sdk/capabilities/modules.ts';
import { createFakeHost } from '../../sdk/testing/fake-host.ts';
import { loadAuthorCode } from '../support/author-module.ts';

const manifest = Value.Default(ManifestSchema, { module_name: 'demo', module_version: '1.0.0' }) as Manifest;
const request = {
  invocation: 1,
  method: 'find',
  caller: { module: 'asker' },
  user: null,
  deadline: Date.now() + 1_000,
};

describe('a call of another module', () => {
  const start = (answer: () => unknown = () => null) => {
    const calls: unknown[][] = [];
    const { binding } = createFakeHost({});
    const host = {
      ...binding,
      async call(...[, method, args]: Parameters<typeof binding.call>) {
        calls.push([method, ...args]);
        return method === 'cancel' ? undefined : answer();
      },
    };
    return { modules: createModulesClient(host), calls };
  };

  it('names the invocation that it is part of, when it gets the signal of its context', async () => {
    const { modules, calls } = start();
    const { signal } = openSignal(42, false);
    await modules.call('glossary', 'find', { term: 'x' }, { signal, timeoutMs: 10 });
    await modules.call('glossary', 'find', undefined, { signal: AbortSignal.any([signal]) });
    expect(calls).toEqual([
      ['call', { id: 1, module: 'glossary', method: 'find', within: 42, timeoutMs: 10 }, { term: 'x' }],
      ['call', { id: 2, module: 'glossary', method: 'find' }, null],
    ]);
  });

  it('rejects when its signal aborts, and tells the host', async () => {
    const { modules, calls } = start(() => new Promise(() => {}));
    const controller = openSignal(1, false);
    const call = modules.call('glossary', 'find', 1, { signal: controller.signal });
    controller.abort(new Error('too late'));
    await expect(call).rejects.toThrow('too late');
    expect(calls.at(-1)).toEqual(['cancel', 1]);
    await expect(modules.call('glossary', 'find', 1, { signal: controller.signal })).rejects.toThrow('too late');
    expect(calls).toHaveLength(2);
  });

  it('rejects with the class that an author catches', async () => {
    const { modules } = start(() => {
      throw new PlexiError('PERMISSION_DENIED', 'Calling a.b needs the permission modules:call:glossary.');
    });
    const denied = await modules.call('glossary', 'find').catch((error: unknown) => error);
    expect(denied).toBeInstanceOf(PermissionDeniedError);
    expect((denied as PermissionDeniedError).permission).toBe('modules:call:glossary');
  });

  it.each<[string, unknown[], string]>([
    [
      'a name',
      ['Glossary', 'find'],
      'modules.call: the name must be the module_name of another module, found "Glossary".',
    ],
    ['no name', [undefined, 'find'], 'found undefined'],
    [
      'a method',
      ['glossary', 'find it'],
      'modules.call("glossary"): the method must be the name of one with @moduleMethod',
    ],
    ['a BigInt', ['glossary', 'find', { n: 1n }], 'what it is given is not JSON: a BigInt at n'],
    ['a Map', ['glossary', 'find', new Map()], 'is not JSON: a Map.'],
    ['a hole', ['glossary', 'find', { at: [undefined] }], 'undefined at at[0]'],
    ['too much', ['glossary', 'find', 'x'.repeat(300_000)], 'at most 262144 are allowed. Send it in parts.'],
    [
      'an option',
      ['glossary', 'find', null, { user: 'me' }],
      'the option "user" does not exist; allowed are signal, timeoutMs.',
    ],
    ['a time', ['glossary', 'find', null, { timeoutMs: -1 }], 'timeoutMs must be a whole number'],
    ['a signal', ['glossary', 'find', null, { signal: {} }], 'signal must be an AbortSignal'],
    ['no options', ['glossary', 'find', null, null], 'the options must be an object such as { signal }, found null.'],
  ])('is refused before it leaves, in words that say how to mend it: %s', async (_name, args, words) => {
    const { modules, calls } = start();
    const call = modules.call as (...given: unknown[]) => Promise<unknown>;
    await expect(call(...args)).rejects.toThrow(expect.objectContaining({ name: 'TypeError' }));
    await expect(call(...args)).rejects.toThrow(words);
    expect(calls).toEqual([]);
  });

  it('of a module without a good name is refused at once', () => {
    expect(() => start().modules.of('no module')).toThrow('modules.of: the name must be the module_name');
  });
});

describe('@moduleMethod', () => {
  it('declares name, schemas and time, and nothing else of the class can be called', async () => {
    const runner = await runnerOf(`
      @moduleMethod({ params: Type.Object({ term: Type.String() }), result: Type.Null(), timeout: 2 })
      find({ term }) { return null; }
      hidden() { return 'never'; }
    `);
    expect(runner.declaration.methods).toEqual([
      {
        name: 'find',
        timeout: 2,
        schemas: {
          params: { type: 'object', required: ['term'], properties: { term: { type: 'string' } } },
          result: { type: 'null' },
        },
      },
    ]);
    for (const method of ['hidden', 'constructor', 'initialize', '__proto__']) {
      const outcome = await runner.callMethod({ ...request, method }, null);
      expect(outcome).toMatchObject({ ok: false, code: 'MODULE_ERROR' });
    }
  });

  it.each([
    ['@moduleMethod({ parms: Type.Null() }) find() {}', 'has no option "parms"; allowed are params, result, timeout.'],
    ['@moduleMethod({ timeout: 0 }) find() {}', 'timeout is 0; allowed is a number of seconds above 0, at most 3600.'],
    ['@moduleMethod({ params: "text" }) find() {}', 'params is "text"; allowed is a schema such as Type.Object({}).'],
    ['@moduleMethod([]) find() {}', '@moduleMethod takes an object'],
    ['@moduleMethod() static find() {}', 'the method is static; make it a plain public method.'],
    ['@moduleMethod() ["not a name"]() {}', 'is named by at most 64 letters, digits and "_".'],
    ['@moduleMethod() @moduleMethod() find() {}', 'is marked @moduleMethod twice.'],
  ])('that cannot work is refused when the module is loaded: %s', async (body, words) => {
    await expect(runnerOf(body)).rejects.toThrow(words);
  });

  it.each([
    ['returns a value', 'return { a: [1] };', { ok: true, body: { text: '{"a":[1]}' } }],
    ['returns nothing', '', { ok: true, body: { text: 'null' } }],
    [
      'refuses',
      'throw new HttpError(404, "No such term");',
      { ok: false, code: 'MODULE_HTTP_ERROR', message: 'No such term' },
    ],
    ['throws what is no error', 'throw { toString() { throw 1; } };', { ok: false, code: 'MODULE_ERROR' }],
    ['throws nothing', 'throw undefined;', { ok: false, code: 'MODULE_ERROR' }],
    ['returns what is no JSON', 'return { when: 1n };', { ok: false, code: 'INVALID_MODULE_RESPONSE' }],
    ['returns what JSON would lose', 'return new Map([[1, 2]]);', { ok: false, code: 'INVALID_MODULE_RESPONSE' }],
    ['returns too much', 'return "x".repeat(600_000);', { ok: false, code: 'INVALID_MODULE_RESPONSE' }],
    [
      'lies about its JSON',
      'return { toJSON() { throw new Error("no"); } };',
      { ok: false, code: 'INVALID_MODULE_RESPONSE' },
    ],
  ])('that %s has an outcome that crosses', async (_name, body, outcome) => {
    const runner = await runnerOf(`@moduleMethod() async find(args, context) { ${body} }`);
    expect(await runner.callMethod(request, null)).toMatchObject(outcome);
  });

  it('aborts its signal when the host cancels it', async () => {
    const runner = await runnerOf(`
      @moduleMethod() find(args, { signal }) {
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped')));
      }
    `);
    const outcome = runner.callMethod(request, null);
    await Promise.resolve();
    expect(runner.cancel(1)).toBe(true);
    expect(await outcome).toEqual({ ok: true, body: { text: '"stopped"' } });
    expect(runner.cancel(1)).toBe(false);
  });
});

describe('debug', () => {
  const start = (debug: boolean) =>
    decorated(`
      @moduleEndpoint('GET /')
      async look({ signal }) {
        let asked = 0;
        const self = { name: 'x' };
        self.self = self;
        this.debug.logState('cart', () => ({ asked: ++asked }));
        await this.debug.breakpoint('here', { self, map: new Map([['a', 1n]]), asked: () => asked }, { signal });
        return { asked, enabled: this.debug.enabled };
      }
    `).then((Module) => createModuleHarness(Module as never, { config: { settings: { debug } } }));

  it('shows what there is, whatever it is, in debug mode', async () => {
    const harness = await start(true);
    expect((await harness.request('GET', '/')).json()).toEqual({ asked: 1, enabled: true });
    expect(harness.logged).toContainEqual({ level: 'info', message: 'State: cart', fields: { state: { asked: 1 } } });
    expect(harness.breakpoints).toEqual([
      {
        label: 'here',
        locals: {
          self: { name: 'x', self: '[contains itself]' },
          map: { Map: [['a', '1n']] },
          asked: expect.stringMatching(/^\[function/),
        },
      },
    ]);
  });

  it('does nothing at all otherwise: no value is asked for', async () => {
    const harness = await start(false);
    expect((await harness.request('GET', '/')).json()).toEqual({ asked: 0, enabled: false });
    expect([harness.logged, harness.breakpoints]).toEqual([[], []]);
  });

  it('writes any value as JSON of a bounded size, and never throws', () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 'x'.repeat(100)]));
    for (const value of [
      trap,
      wide,
      Symbol('s'),
      Object.create(null),
      new Date(Number.NaN),
      '\ud800',
      [trap, [trap]],
    ]) {
      expect(JSON.stringify(snapshot(value)).length).toBeLessThan(20_000);
    }
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withNullPrototype: true }), (value) => {
        expect(JSON.stringify(snapshot(value)).isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('this.users', () => {
  it('asks the host, as getUserTier and checkPermissions do', async () => {
    const Module = await decorated(`
      @moduleEndpoint('GET /:id')
      async look({ params: { id } }) {
        const own = [await this.users.getTier(id), await this.users.getPermissions(id)];
        const short = [await this.getUserTier(id), await this.checkPermissions(id, ['read'])];
        return [...own, ...short];
      }
    `);
    const users = { ada: { tier: 'premium', permissions: ['read'] } } as const;
    const harness = await createModuleHarness(Module, { fakes: { users } });
    expect((await harness.request('GET', '/ada')).json()).toEqual(['premium', ['read'], 'premium', true]);
    expect((await harness.request('GET', '/bo')).json()).toEqual([null, [], null, false]);
  });
});

async function runnerOf(body: string) {
  return createRunner({ default: await decorated(body) }, manifest, createFakeHost({}).binding);
}

async function decorated(body: string): Promise<never> {
  const imports = "import { BaseModule, HttpError, moduleEndpoint, moduleMethod, Type } from '@plexichat/sdk';";
  return (await loadAuthorCode(`${imports} export default class Demo extends BaseModule { ${body} }`)).default;
}
