/** The host's side of calls between modules, with modules that a test writes: what is asked first, stamped, counted, bounded. */
import type { MethodDeclaration } from '@plexichat/sdk/protocol/declaration';
import { type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';
import type { Caller } from '@plexichat/sdk/protocol/invocation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createModulesCapability } from '../../runtime/capabilities/modules.ts';
import { OpenInvocations } from '../../runtime/capabilities/open-invocations.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { CallBounds } from '../../runtime/invocation/call-bounds.ts';
import { createMethodCalls } from '../../runtime/invocation/method-calls.ts';
import { findMethodProblems } from '../../runtime/invocation/method-plan.ts';
import type { MethodCall, ModuleState, ServedModule } from '../../runtime/modules/served-module.ts';
import { fakeModule } from '../support/fake-modules.ts';

type Run = (call: MethodCall, signal: AbortSignal) => Promise<string> | string;

interface Options {
  readonly methods?: readonly MethodDeclaration[];
  readonly run?: Run;
  readonly state?: ModuleState;
  readonly granted?: readonly string[];
  readonly timeout?: number;
}

const ALICE: Caller = { id: 'alice', tier: 'basic', permissions: [] };
const plain = (name: string): MethodDeclaration => ({ name, schemas: {} });

function open({
  methods = [plain('echo')],
  run = ({ args }) => args,
  state,
  granted = ['target'],
  timeout = 30,
}: Options = {}) {
  const calls: MethodCall[] = [];
  const signals: AbortSignal[] = [];
  const fake = fakeModule({
    name: 'target',
    ...(state === undefined ? {} : { state }),
    manifest: { runtime: { timeout } },
  });
  const target: ServedModule = {
    ...fake,
    declaration: { ...fake.declaration, methods: [...methods] },
    async callMethod(call, signal) {
      calls.push(call);
      signals.push(signal);
      return run(call, signal);
    },
  };
  const modules = new Map([['target', target]]);
  const denied: string[] = [];
  const gate = createPermissionGate({
    granted: () => granted.map((name) => ({ capability: 'modules', name })),
    onDenied: (_module, asked) => denied.push(asked.capability),
  });
  const port = createMethodCalls({
    directory: { get: (name) => modules.get(name), list: () => [...modules.values()] },
    maxTimeoutMs: 60_000,
  });
  const invocations = new OpenInvocations();
  const instance = new AbortController();
  const table = createModulesCapability(
    port,
    gate,
  )({
    module: 'caller',
    session: () => {
      throw new Error('not asked');
    },
    admitLine: () => true,
    signal: instance.signal,
    invocations,
  });
  let id = 0;
  const call = async (args: unknown = null, request: Record<string, unknown> = {}): Promise<unknown> =>
    table.call?.({ id: ++id, module: 'target', method: 'echo', ...request }, args);
  return {
    call,
    cancel: (which: number) => table.cancel?.(which),
    calls,
    signals,
    denied,
    invocations,
    instance,
    table,
  };
}

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | 'answered' | 'another error'> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error instanceof PlexiError ? error.code : 'another error'),
  );

describe('a call', () => {
  it('is stamped by the host with who calls, for whom, and how deep', async () => {
    const at = open();
    const deadline = Date.now() + 5_000;
    at.invocations.open(7, { user: ALICE, deadline, depth: 3 });
    expect(await at.call({ a: [1] }, { within: 7 })).toEqual({ a: [1] });
    expect(at.calls).toEqual([
      {
        method: 'echo',
        args: '{"a":[1]}',
        caller: { module: 'caller' },
        user: ALICE,
        deadline: deadline + 250,
        depth: 4,
      },
    ]);
  });

  it.each([
    ['names no invocation', {}],
    ['names one that is over', { within: 6 }],
    ['names one that never was', { within: 999 }],
  ])('that %s is for nobody, and as deep as the deepest that is open', async (_name, request) => {
    const at = open();
    at.invocations.open(6, { user: ALICE, deadline: Date.now() + 60_000 });
    at.invocations.close(6);
    at.invocations.open(7, { user: ALICE, deadline: Date.now() + 60_000, depth: 5 });
    at.invocations.open(8, { user: ALICE, deadline: Date.now() + 60_000 });
    await at.call(null, request);
    expect(at.calls[0]).toMatchObject({ user: null, depth: 6 });
    at.invocations.close(7);
    await at.call(null, request);
    expect(at.calls[1]).toMatchObject({ user: null, depth: 1 });
  });

  it('ends with the smallest of what the method, the caller and its invocation have', async () => {
    const at = open({ timeout: 2, methods: [plain('echo'), { ...plain('quick'), timeout: 0.5 }] });
    const left = (index: number): number => (at.calls[index]?.deadline ?? 0) - Date.now();
    await at.call();
    expect(left(0)).toBeGreaterThan(1_000);
    expect(left(0)).toBeLessThanOrEqual(2_000);
    await at.call(null, { method: 'quick' });
    expect(left(1)).toBeLessThanOrEqual(500);
    await at.call(null, { timeoutMs: 100 });
    expect(left(2)).toBeLessThanOrEqual(100);
    at.invocations.open(1, { deadline: Date.now() + 300 });
    await at.call(null, { within: 1 });
    expect(left(3)).toBeLessThanOrEqual(300 + 250);
  });

  it('is ended when its caller cancels it, and when its caller’s thread ends', async () => {
    const hang: Run = (_call, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new PlexiError('CLIENT_CLOSED', 'The client went away.')));
      });
    const at = open({ run: hang });
    const first = codeOf(at.call());
    const second = codeOf(at.call());
    await at.cancel(1);
    expect(await first).toBe('CLIENT_CLOSED');
    expect(at.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    at.instance.abort();
    expect(await second).toBe('CLIENT_CLOSED');
  });

  it('fills in the defaults of the schema, and checks result and arguments', async () => {
    const schemas = {
      params: { type: 'object', properties: { n: { type: 'integer', default: 3 } }, additionalProperties: false },
      result: { type: 'object', properties: { n: { type: 'integer', maximum: 5 } } },
    };
    const at = open({ methods: [{ name: 'echo', schemas }] });
    expect(await at.call({})).toEqual({ n: 3 });
    expect(await codeOf(at.call({ n: 6 }))).toBe('INVALID_MODULE_RESPONSE');
    expect(await codeOf(at.call({ n: '4' }))).toBe('INVALID_INPUT');
    expect(await codeOf(at.call({ n: 1, constructor: 1 }))).toBe('INVALID_INPUT');
    expect(await codeOf(at.call(JSON.parse('{"__proto__": {"n": 1}}')))).toBe('INVALID_INPUT');
    expect(at.calls).toHaveLength(2);
  });
});

describe('a call is refused', () => {
  it('without the grant, before anything is said about the other module', async () => {
    const at = open({ granted: ['another'] });
    for (const module of ['target', 'not_there']) {
      const refused = at.call(null, { module });
      await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(refused).rejects.toThrow(`Calling ${module}.echo needs the permission modules:call:${module}.`);
    }
    expect(at.denied).toEqual(['modules', 'modules']);
    expect(at.calls).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, ErrorCode]>([
    ['to the caller itself', { module: 'caller' }, 'INVALID_CALL'],
    ['to a method that is not offered', { method: 'hidden' }, 'NOT_FOUND'],
    ['to what every object has', { method: 'constructor' }, 'NOT_FOUND'],
    ['to a prototype', { method: '__proto__' }, 'NOT_FOUND'],
    ['with a name that is none', { method: 'a b' }, 'INVALID_CALL'],
    ['with a module that is none', { module: '../target' }, 'INVALID_CALL'],
    ['with a module of another case', { module: 'Target' }, 'INVALID_CALL'],
    ['with a caller of its own choice', { caller: { module: 'admin' } }, 'INVALID_CALL'],
    ['with a user of its own choice', { user: ALICE }, 'INVALID_CALL'],
    ['with a depth of its own choice', { depth: 0 }, 'INVALID_CALL'],
    ['with a time of nothing', { timeoutMs: 0 }, 'INVALID_CALL'],
    ['with half an invocation', { within: 0.5 }, 'INVALID_CALL'],
  ])('%s', async (_name, request, code) => {
    const at = open();
    expect(await codeOf(at.call(null, request))).toBe(code);
    expect(at.calls).toEqual([]);
  });

  it.each<ModuleState>(['failed', 'installed', 'disabled', 'stopped', 'parked'])(
    'while the other module is %s',
    async (state) => {
      const at = open({ state });
      expect(await codeOf(at.call())).toBe('MODULE_UNAVAILABLE');
    },
  );

  it('when modules have called one another eight times', async () => {
    const at = open();
    at.invocations.open(1, { deadline: Date.now() + 60_000, depth: 7 });
    at.invocations.open(2, { deadline: Date.now() + 60_000, depth: 8 });
    expect(await codeOf(at.call(null, { within: 1 }))).toBe('answered');
    expect(await codeOf(at.call(null, { within: 2 }))).toBe('MODULE_OVERLOADED');
    expect(await codeOf(at.call())).toBe('MODULE_OVERLOADED');
    at.invocations.close(2);
    expect(await codeOf(at.call())).toBe('answered');
  });

  it('when what it is given is too large, too deep or has too many keys', async () => {
    const at = open();
    const deep = JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) as unknown;
    const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]));
    for (const args of ['x'.repeat(300_000), deep, keys]) expect(await codeOf(at.call(args))).toBe('INVALID_CALL');
    expect(at.calls).toEqual([]);
  });

  it('when thirty-two of the same pair are under way, whatever their numbers', async () => {
    const release = Promise.withResolvers<string>();
    const at = open({ run: () => release.promise });
    const running = Array.from({ length: 5_000 }, () => codeOf(at.call()));
    release.resolve('1');
    const codes = await Promise.all(running);
    expect(codes.filter((code) => code === 'answered')).toHaveLength(32);
    expect(codes.filter((code) => code === 'MODULE_OVERLOADED')).toHaveLength(4_968);
    expect(await codeOf(at.call())).toBe('answered');
  });

  it('when its number is under way already', async () => {
    const release = Promise.withResolvers<string>();
    const at = open({ run: () => release.promise });
    const first = at.call(null, { id: 5 });
    expect(await codeOf(at.call(null, { id: 5 }))).toBe('INVALID_CALL');
    release.resolve('null');
    expect(await first).toBeNull();
  });
});

describe('what another module answers', () => {
  it.each([
    ['no JSON', 'nope'],
    ['nothing', ''],
    ['too deep', `${'['.repeat(60)}${']'.repeat(60)}`],
    ['too many keys', JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 1])))],
  ])('is refused when it is %s', async (_name, text) => {
    const at = open({ run: () => text });
    expect(await codeOf(at.call())).toBe('INVALID_MODULE_RESPONSE');
  });

  it('fails in words for the module that called', async () => {
    const fail =
      (code: ErrorCode, message: string): Run =>
      () => {
        throw new PlexiError(code, message);
      };
    const messageOf = async (code: ErrorCode, message = 'as it was') =>
      open({ run: fail(code, message) })
        .call()
        .catch((error: PlexiError) => [error.code, error.message]);
    expect(await messageOf('MODULE_TIMEOUT')).toEqual([
      'MODULE_TIMEOUT',
      'target.echo did not answer before the deadline.',
    ]);
    expect(await messageOf('MODULE_HTTP_ERROR', 'No such term')).toEqual(['MODULE_HTTP_ERROR', 'No such term']);
    expect(await messageOf('MODULE_ERROR')).toEqual(['MODULE_ERROR', 'as it was']);
  });
});

describe('for any call', () => {
  it('a guest gets what it gave, or an error of ours', async () => {
    const name = fc.oneof(fc.constantFrom('target', 'caller', 'echo', '__proto__', 'constructor'), fc.string());
    const request = fc.record(
      {
        id: fc.oneof(fc.integer(), fc.double(), fc.string()),
        module: name,
        method: name,
        within: fc.oneof(fc.integer(), fc.constant('1')),
        timeoutMs: fc.integer({ min: -1, max: 10_000 }),
        caller: fc.anything(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, fc.anything()), fc.jsonValue(), async (head, args) => {
        const { table } = open();
        try {
          expect(await table.call?.(head, args)).toEqual(JSON.parse(JSON.stringify(args)));
        } catch (error) {
          expect(error).toBeInstanceOf(PlexiError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('the bounds of calls', () => {
  it('count per module and per pair, and forget what is over', () => {
    const bounds = new CallBounds(() => 0);
    const places = Array.from({ length: 32 }, () => bounds.enter('a', 'b'));
    expect(() => bounds.enter('a', 'b')).toThrow('32 calls of a to b');
    const others = Array.from({ length: 32 }, () => bounds.enter('a', 'c'));
    expect(() => bounds.enter('a', 'd')).toThrow('64 calls of a');
    bounds.enter('b', 'a').leave();
    places[0]?.leave();
    places[0]?.leave();
    bounds.enter('a', 'b');
    expect(() => bounds.enter('a', 'b')).toThrow(PlexiError);
    for (const place of [...places, ...others]) place.leave();
    expect(() => bounds.enter('a', 'd')).not.toThrow();
  });

  it('let a module cost the host so much work a second', () => {
    let now = 0;
    const bounds = new CallBounds(() => now);
    const place = bounds.enter('a', 'b');
    place.spend(12_000_000);
    place.leave();
    expect(() => bounds.enter('a', 'b')).toThrow(expect.objectContaining({ code: 'QUOTA_EXCEEDED' }));
    bounds.enter('b', 'a').leave();
    now += 400;
    expect(() => bounds.enter('a', 'b')).toThrow(PlexiError);
    now += 200;
    expect(() => bounds.enter('a', 'b')).not.toThrow();
  });
});

describe('a declaration', () => {
  it('whose schemas the host cannot check is refused when the module is loaded', () => {
    const { manifest } = fakeModule({});
    const bad = { name: 'find', schemas: { params: { $dynamicRef: '#x' }, result: { type: 'text' } } };
    expect(findMethodProblems([bad], manifest).join()).toMatch(/the method find: schema params.*schema result/s);
    expect(findMethodProblems([plain('a'), plain('a')], manifest)).toEqual(['the method a is declared twice']);
    expect(findMethodProblems(undefined, manifest)).toEqual([]);
  });
});
