/** Modules that call each other, in a real host: typed, checked, stamped, bounded; and those that misbehave at it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost } from '../support/test-host.ts';
import { until } from '../support/until.ts';

const config = (name: string, ...lines: string[]): string =>
  [`module_name: ${name}`, 'module_version: 1.0.0', 'tasks: { enabled: false }', ...lines].join('\n');
const may = (...names: string[]): string =>
  `required_permissions: [${names.map((name) => `"modules:call:${name}"`).join(', ')}]`;

const FILES = {
  'glossary/config.yaml': config('glossary', 'runtime: { timeout: 2, idle_timeout: 1 }'),
  'glossary/module.ts': `
    import { BaseModule, HttpError, moduleMethod, Type, type MethodContext } from '@plexichat/sdk';
    export default class Glossary extends BaseModule {
      @moduleMethod({
        params: Type.Object({ term: Type.String({ maxLength: 20 }), lang: Type.String({ default: 'en' }) }),
        result: Type.Object({ meaning: Type.String(), by: Type.String(), user: Type.Unknown(), lang: Type.String() }),
      })
      lookup({ term, lang }: { term: string; lang: string }, { caller, user }: MethodContext) {
        if (term === 'nothing') throw new HttpError(404, 'No such term');
        if (term === 'boom') throw new Error('the shelf is broken');
        if (term === 'wrong') return { meaning: 7 };
        return { meaning: term.toUpperCase(), by: caller.module, user, lang };
      }
      @moduleMethod()
      echo(args: unknown) { return args; }
      @moduleMethod()
      async slow(_args: unknown, { signal }: MethodContext) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        this.logger.info('slow was told to stop');
      }
      @moduleMethod()
      spin() { for (;;); }
      @moduleMethod()
      async grow() {
        for (const kept: unknown[] = []; ; await Promise.resolve()) kept.push(new Uint8Array(1_000_000));
      }
      @moduleMethod()
      bytes() { return 'x'.repeat(600_000); }
      hidden() { return 'never'; }
    }`,
  'asker/config.yaml': config('asker', may('glossary', 'absent', 'asker'), 'runtime: { timeout: 5 }'),
  'asker/module.ts': `
    import { BaseModule, moduleEndpoint, type EndpointContext } from '@plexichat/sdk';
    export default class Asker extends BaseModule {
      @moduleEndpoint('POST /call')
      async call({ body, signal }: EndpointContext) {
        const { module = 'glossary', method, alone = false, timeoutMs, size, ...given } = body as Record<string, any>;
        const args = size === undefined ? given.args : 'x'.repeat(size);
        try {
          const options = { ...(alone ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
          return { value: await this.modules.call(module, method, args, options) };
        } catch (error) {
          const { name, code, message, stack } = error as any;
          return { name, code, message, stack: typeof stack };
        }
      }
      @moduleEndpoint('GET /forever', { timeout: 1 })
      async forever({ signal }: EndpointContext) { return this.modules.call('glossary', 'slow', null, { signal }); }
      @moduleEndpoint('GET /many')
      async many({ signal }: EndpointContext) {
        const calls = Array.from({ length: 100 }, () => this.modules.call('glossary', 'slow', null, { signal, timeoutMs: 700 }));
        const codes: Record<string, number> = {};
        for (const call of await Promise.allSettled(calls)) {
          const code = call.status === 'fulfilled' ? 'OK' : String((call.reason as any).code);
          codes[code] = (codes[code] ?? 0) + 1;
        }
        return codes;
      }
    }`,
  'stranger/config.yaml': config('stranger'),
  'stranger/module.ts': `
    import { BaseModule, moduleEndpoint, PermissionDeniedError } from '@plexichat/sdk';
    export default class Stranger extends BaseModule {
      @moduleEndpoint('GET /call')
      async call() {
        const found: unknown[] = [];
        for (const name of ['glossary', 'not_there'])
          await this.modules.call(name, 'lookup', { term: 'x' }).catch((error) =>
            found.push([error instanceof PermissionDeniedError, error.permission, error.message]));
        return found;
      }
    }`,
  'ping/config.yaml': config('ping', may('pong')),
  'ping/module.ts': `
    import { BaseModule, moduleEndpoint, moduleMethod, type EndpointContext, type MethodContext } from '@plexichat/sdk';
    export default class Ping extends BaseModule {
      @moduleEndpoint('GET /play/:how')
      play({ params, signal }: EndpointContext<{ params: { how: string } }>) {
        return this.modules.call('pong', 'hit', { how: params.how, count: 1 }, params.how === 'open' ? { signal } : {})
          .catch((error) => ({ code: error.code, message: error.message }));
      }
      @moduleMethod()
      async hit({ how, count }: any, { signal }: MethodContext) {
        return this.modules.call('pong', 'hit', { how, count: count + 1 }, how === 'open' ? { signal } : {})
          .catch((error) => ({ stopped: count, code: error.code, message: error.message }));
      }
    }`,
  'pong/config.yaml': config('pong', may('ping')),
  'pong/module.ts': `
    import { BaseModule, moduleMethod, type MethodContext } from '@plexichat/sdk';
    export default class Pong extends BaseModule {
      @moduleMethod()
      async hit({ how, count }: any, { signal }: MethodContext) {
        return this.modules.call('ping', 'hit', { how, count: count + 1 }, how === 'open' ? { signal } : {})
          .catch((error) => ({ stopped: count, code: error.code, message: error.message }));
      }
    }`,
};

const GRANTS = `
grants:
  asker: ["modules:call:glossary", "modules:call:absent", "modules:call:asker"]
  ping: ["modules:call:pong"]
  pong: ["modules:call:ping"]
`;

let at: TestHost;
beforeAll(async () => {
  at = await startTestHost({ files: FILES, config: GRANTS });
});
afterAll(() => at.close());

interface Answer {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly stack?: string;
}

async function call(request: Record<string, unknown>): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const response = await at.fetch('/api/v1/asker/call', { method: 'POST', headers, body: JSON.stringify(request) });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

describe('a method of another module', () => {
  it('wakes it, is told who calls and for whom, and gets the defaults of its schema', async () => {
    expect(await call({ method: 'lookup', args: { term: 'host' } })).toEqual({
      value: {
        meaning: 'HOST',
        by: 'asker',
        user: { id: 'alice', tier: 'basic', permissions: ['read'] },
        lang: 'en',
      },
    });
  });

  it('is not told of a user when the caller does not say which request it works on', async () => {
    const { value } = await call({ method: 'lookup', args: { term: 'host' }, alone: true });
    expect(value).toMatchObject({ user: null, by: 'asker' });
  });

  it('wakes up again after it has gone to sleep', async () => {
    await call({ method: 'echo', args: 1 });
    await until(() => at.host.registry.get('glossary')?.state === 'sleeping', 20_000);
    expect(await call({ method: 'echo', args: [1, { a: null }] })).toEqual({ value: [1, { a: null }] });
  });

  it('that returns nothing gives null', async () => {
    expect(await call({ method: 'echo' })).toEqual({ value: null });
  });

  it.each([
    ['is missing', {}, '/term'],
    ['is too long', { term: 'x'.repeat(21) }, '/term'],
    ['has another type', { term: 1 }, '/term'],
    ['is no object', 'host', '/'],
  ])('never sees what does not fit its schema: a term that %s', async (_name, args, path) => {
    const answer = await call({ method: 'lookup', args });
    expect(answer).toMatchObject({ code: 'INVALID_INPUT' });
    expect(answer.message).toContain(`glossary.lookup: the arguments are not valid: ${path} `);
  });

  it.each([
    ['in its own words', 'nothing', 'MODULE_HTTP_ERROR', 'No such term'],
    ['as a failure', 'boom', 'MODULE_ERROR', 'Glossary.lookup failed: Error: the shelf is broken'],
    ['as an answer that does not fit', 'wrong', 'INVALID_MODULE_RESPONSE', 'result schema: /by is required'],
  ])('fails %s, with a code, without a stack', async (_name, term, code, message) => {
    const answer = await call({ method: 'lookup', args: { term } });
    expect(answer.code).toBe(code);
    expect(answer.message).toContain(message);
    expect(JSON.stringify(answer)).not.toContain('/cell');
    expect(answer.stack).toBe('undefined');
  });

  it('that is not there is NOT_FOUND, with what there is', async () => {
    for (const method of ['hidden', 'constructor', '__proto__', 'initialize', 'toString']) {
      const { code, message } = await call({ method, args: null });
      expect([method, code]).toEqual([method, 'NOT_FOUND']);
      expect(message).toContain('it offers lookup, echo, slow, spin, grow, bytes.');
    }
    expect(await call({ module: 'absent', method: 'x' })).toMatchObject({
      code: 'NOT_FOUND',
      message: 'There is no module "absent"; of those that it may call there are glossary.',
    });
  });

  it('of the caller itself is refused', async () => {
    expect(await call({ module: 'asker', method: 'call' })).toMatchObject({ code: 'INVALID_CALL' });
  });

  it('that does not end is given up at the deadline, and is told to stop', async () => {
    expect(await call({ method: 'slow', timeoutMs: 100 })).toMatchObject({ code: 'MODULE_TIMEOUT' });
    await until(() => at.lines.some(({ msg }) => msg === 'slow was told to stop'));
    expect(await call({ method: 'echo', args: 2 })).toEqual({ value: 2 });
  });

  it('ends with the request that it is part of', async () => {
    const stops = () => at.lines.filter(({ msg }) => msg === 'slow was told to stop').length;
    const before = stops();
    expect((await at.fetch('/api/v1/asker/forever')).status).toBe(504);
    await until(() => stops() > before);
  });

  it('that returns more than the bridge takes fails as such', async () => {
    expect(await call({ method: 'bytes' })).toMatchObject({ code: 'INVALID_MODULE_RESPONSE' });
  });

  it('gets arguments up to a bound', async () => {
    expect(await call({ method: 'echo', size: 250_000 })).toEqual({ value: 'x'.repeat(250_000) });
    const { name, message } = (await call({ method: 'echo', size: 300_000 })) as Record<string, string>;
    expect([name, message]).toEqual(['TypeError', expect.stringContaining('at most 262144 are allowed')]);
  });

  it('that never yields takes its own thread down, not the caller', async () => {
    const { code } = await call({ method: 'spin', timeoutMs: 300 });
    expect(code).toBe('MODULE_TIMEOUT');
    await until(async () => 'value' in (await call({ method: 'echo', args: 3, timeoutMs: 2_000 })), 20_000);
  });

  it('that takes its own thread down is one that crashed, and the caller goes on', async () => {
    const answer = await call({ method: 'grow' });
    expect(answer).toMatchObject({ code: 'MODULE_CRASHED', message: 'glossary.grow ended before it could answer.' });
    await until(async () => 'value' in (await call({ method: 'echo', args: 5 })), 20_000);
  });

  it('is called by so many at once and no more', async () => {
    const codes = (await (await at.fetch('/api/v1/asker/many')).json()) as Record<string, number>;
    expect(codes).toEqual({ MODULE_TIMEOUT: 32, MODULE_OVERLOADED: 68 });
    await until(async () => 'value' in (await call({ method: 'echo', args: 4 })), 10_000);
  });
});

describe('a module without the permission', () => {
  it('learns its name, and nothing of what is installed', async () => {
    expect(await (await at.fetch('/api/v1/stranger/call')).json()).toEqual([
      [true, 'modules:call:glossary', 'Calling glossary.lookup needs the permission modules:call:glossary.'],
      [true, 'modules:call:not_there', 'Calling not_there.lookup needs the permission modules:call:not_there.'],
    ]);
  });
});

describe('modules that call in a circle', () => {
  it.each(['open', 'hidden'])(
    'are stopped at the eighth, whether they say what belongs together or not: %s',
    async (how) => {
      const answer = (await (await at.fetch(`/api/v1/ping/play/${how}`)).json()) as Record<string, unknown>;
      expect(answer).toMatchObject({ stopped: 8, code: 'MODULE_OVERLOADED' });
      expect(answer.message).toContain('at most 8 are allowed');
    },
  );
});
