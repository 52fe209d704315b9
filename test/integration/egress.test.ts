import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ResolvedAddress } from '../../runtime/capabilities/address.ts';
import { createHttpEgress, type HttpEgress, type HttpSettings } from '../../runtime/capabilities/http.ts';
import { parsePermission } from '../../runtime/capabilities/permission.ts';
import { type ScriptedGuest, scriptGuest } from '../support/scripted-guest.ts';
import { until } from '../support/until.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const egresses: HttpEgress[] = [];
afterEach(async () => {
  await Promise.all(egresses.splice(0).map((egress) => egress.close()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A small server of the outside world on loopback; its port. */
async function serve(handler: Handler): Promise<number> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface World {
  readonly guest: ScriptedGuest;
  readonly lookups: string[];
  fetch(url: string, request?: Record<string, unknown>): Promise<HttpResponse>;
  cancel(id: number): Promise<unknown>;
  abortInstance(): void;
  /** A body as the guest gets it; rejects with the words of a broken one. */
  read(response: HttpResponse): Promise<string>;
}

interface WorldOptions {
  readonly grants: readonly string[];
  readonly secrets?: Readonly<Record<string, string>>;
  /** host → what each lookup answers, the last one for ever. Default: loopback. */
  readonly names?: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly settings?: Partial<HttpSettings>;
}

function secretOf(secrets: Readonly<Record<string, string>>, name: string) {
  const value = secrets[name];
  return value === undefined ? undefined : { value };
}

function world({ grants, secrets = {}, names = {}, settings = {} }: WorldOptions): World {
  const lookups: string[] = [];
  const answers = new Map(Object.entries(names).map(([name, rounds]) => [name, [...rounds]]));
  const permissions = grants.map((text) => {
    const parsed = parsePermission(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.permission;
  });
  const egress = createHttpEgress(
    {
      allowPrivate: new Set(),
      timeoutMs: 5_000,
      maxResponseBytes: 1024 * 1024,
      resolver: async (host): Promise<ResolvedAddress[]> => {
        lookups.push(host);
        const rounds = answers.get(host);
        const round = (rounds !== undefined && rounds.length > 1 ? rounds.shift() : rounds?.[0]) ?? ['127.0.0.1'];
        return round.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      },
      ...settings,
    },
    { granted: () => permissions, secret: (_module, name) => secretOf(secrets, name) },
  );
  egresses.push(egress);
  const guest = scriptGuest();
  const instance = new AbortController();
  const methods = egress.capability({
    module: 'demo',
    session: () => guest.session,
    admitLine: () => true,
    signal: instance.signal,
  });
  let lastId = 0;
  return {
    guest,
    lookups,
    fetch: (url, request = {}) =>
      Promise.resolve(
        methods.fetch?.({ id: ++lastId, method: 'GET', url, headers: [], body: { kind: 'none' }, ...request }),
      ) as Promise<HttpResponse>,
    cancel: async (id) => methods.cancel?.(id),
    abortInstance: () => instance.abort(),
    read: (response) => readBody(guest, response),
  };
}

async function readBody({ sent, chunks, say }: ScriptedGuest, { body }: HttpResponse): Promise<string> {
  if (body.kind !== 'stream') return '';
  const over = () => sent.find(({ stream, op }) => stream === body.stream && (op === 'end' || op === 'error'));
  let paid = 0;
  await until(() => {
    const bytes = chunks.reduce((sum, chunk) => sum + Math.max(256, chunk.byteLength), 0);
    if (bytes > paid) say({ stream: body.stream, op: 'credit', bytes: bytes - paid });
    paid = bytes;
    return over() !== undefined;
  });
  const end = over() as { op?: string; message?: string };
  if (end.op === 'error') throw new Error(end.message);
  return Buffer.concat(chunks).toString();
}

const local = (port: number) => ({ settings: { allowPrivate: new Set([`api.test:${port}`, `other.test:${port}`]) } });
const echo: Handler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () =>
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        headers: request.headers,
        raw: request.rawHeaders,
        body: Buffer.concat(chunks).toString(),
      }),
    ),
  );
};

describe('a request that was granted', () => {
  it('arrives with method, path, headers and body, and its answer comes back', async () => {
    const port = await serve(echo);
    const { fetch, read } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const response = await fetch(`http://api.test:${port}/a?b=c#d`, {
      method: 'POST',
      headers: [['X-Custom', 'yes']],
      body: { kind: 'text', text: 'grüße' },
    });
    expect(response).toMatchObject({ status: 200, url: `http://api.test:${port}/a?b=c#d` });
    expect(JSON.parse(await read(response))).toMatchObject({
      method: 'POST',
      url: '/a?b=c',
      headers: { 'x-custom': 'yes', 'user-agent': 'PlexiChat-Modules', host: `api.test:${port}` },
      body: 'grüße',
    });
  });

  it('keeps the upstream’s cookies to itself', async () => {
    const port = await serve((_request, response) => {
      response.setHeader('set-cookie', 'session=upstream');
      response.end('x');
    });
    const { fetch } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    expect(JSON.stringify(await fetch(`http://api.test:${port}/`))).not.toContain('session=');
  });

  it('streams a body of the guest, and one of which the guest breaks off breaks the request', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const sending = at.fetch(`http://api.test:${port}/`, { method: 'PUT', body: { kind: 'stream', stream: 1 } });
    at.guest.sayText('[{"stream":1,"op":"chunk"},{"stream":1,"op":"end"}]', [Buffer.from('streamed')]);
    expect(JSON.parse(await at.read(await sending))).toMatchObject({ body: 'streamed' });

    const broken = at.fetch(`http://api.test:${port}/`, { method: 'PUT', body: { kind: 'stream', stream: 2 } });
    at.guest.sayText('[{"stream":2,"op":"chunk"},{"stream":2,"op":"error","message":"no more"}]', [Buffer.from('x')]);
    await expect(broken).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });
});

describe('a private address', () => {
  it('is not connected to, whatever name leads there', async () => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked += 1;
      response.end();
    });
    const { fetch } = world({
      grants: [`http:*.test.com:${port}`],
      names: { 'v4.test.com': [['127.0.0.1']], 'v6.test.com': [['::1']], 'mapped.test.com': [['::ffff:127.0.0.1']] },
    });
    for (const name of ['v4', 'v6', 'mapped']) {
      await expect(fetch(`http://${name}.test.com:${port}/`), name).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
    }
    expect(asked).toBe(0);
  });

  it('is not connected to when only one record of many is private', async () => {
    const port = await serve(echo);
    const { fetch } = world({ grants: [`http:a.test:${port}`], names: { 'a.test': [['93.184.216.34', '127.0.0.1']] } });
    await expect(fetch(`http://a.test:${port}/`)).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  });

  it('is not reached by a name that changes its mind: what was checked is what is connected to', async () => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked += 1;
      response.end();
    });
    // The first lookup is public and goes nowhere (a blackhole address); each later one is loopback.
    const at = world({
      grants: [`http:rebind.test:${port}`],
      names: { 'rebind.test': [['192.0.2.1', '93.184.216.34'], ['127.0.0.1']] },
      settings: { timeoutMs: 300 },
    });
    for (let count = 0; count < 4; count++) {
      await expect(at.fetch(`http://rebind.test:${port}/`)).rejects.toMatchObject({ code: /EGRESS_/ });
    }
    expect(asked).toBe(0);
    // One lookup per connection: no second one in between that could answer otherwise.
    expect(at.lookups.length).toBe(4);
  });

  it('that one host may have is no address for another host or another port', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`, `http:evil.test:${port}`, 'http:api.test'], ...local(port) });
    expect((await at.fetch(`http://api.test:${port}/`)).status).toBe(200);
    // The connection of before is kept alive; it must not be taken for the other name.
    await expect(at.fetch(`http://evil.test:${port}/`)).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
    await expect(at.fetch('http://api.test/')).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  });
});

describe('a redirect', () => {
  const redirectTo = (location: (port: number) => string, status = 302): Promise<number> => {
    let port = 0;
    return serve((request, response) => {
      if (request.url === '/start') response.writeHead(status, { location: location(port) }).end();
      else echo(request, response);
    }).then((taken) => {
      port = taken;
      return taken;
    });
  };

  it('within the same host is followed, and the answer says where it came from', async () => {
    const port = await redirectTo(() => '/next?x=1');
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const response = await at.fetch(`http://api.test:${port}/start`);
    expect(response.url).toBe(`http://api.test:${port}/next?x=1`);
  });

  it.each([
    ['a host that was not granted', () => 'http://evil.test/'],
    ['loopback by number', (port: number) => `http://127.0.0.1:${port}/`],
    ['loopback by a decimal number', (port: number) => `http://2130706433:${port}/`],
    ['cloud metadata', () => 'http://169.254.169.254/latest/meta-data/'],
    ['another port', () => 'http://api.test:1/'],
    ['a file', () => 'file:///etc/passwd'],
    ['a host with a user name', (port: number) => `http://x@api.test:${port}/`],
  ])('to %s is refused', async (_name, location) => {
    const port = await redirectTo(location);
    const { fetch } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    await expect(fetch(`http://api.test:${port}/start`)).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  });

  it('to a granted host that has a private address is refused', async () => {
    const port = await redirectTo((taken) => `http://inner.test:${taken}/`);
    const { fetch } = world({ grants: [`http:api.test:${port}`, `http:inner.test:${port}`], ...local(port) });
    await expect(fetch(`http://api.test:${port}/start`)).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  });

  it('to what is no URL fails as the other side’s fault', async () => {
    const port = await redirectTo(() => 'http://[');
    const { fetch } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    await expect(fetch(`http://api.test:${port}/start`)).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });

  it('in a circle ends', async () => {
    const port = await redirectTo(() => '/start');
    const { fetch } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    await expect(fetch(`http://api.test:${port}/start`)).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });

  it('to another origin takes no credentials along', async () => {
    const port = await redirectTo((taken) => `http://other.test:${taken}/`);
    const at = world({
      grants: [`http:api.test:${port}`, `http:other.test:${port}`],
      secrets: { key: 'open-sesame' },
      ...local(port),
    });
    const response = await at.fetch(`http://api.test:${port}/start`, {
      headers: [
        ['authorization', 'Bearer {{secret.key}}'],
        ['x-api-key', '{{secret.key}}'],
        ['cookie', 'a=b'],
        ['accept', 'text/plain'],
        ['accept-language', '{{secret.key}}'],
      ],
    });
    const { headers } = JSON.parse(await at.read(response)) as { headers: Record<string, string> };
    expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
    expect(JSON.stringify(headers)).not.toContain('open-sesame');
  });

  it.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'data'],
    [308, 'PUT', 'PUT', 'data'],
  ])('with %d makes of %s a %s', async (status, method, becomes, body) => {
    const port = await redirectTo(() => '/next', status);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const request = { method, body: { kind: 'text', text: 'data' }, headers: [['content-type', 'text/plain']] };
    const arrived = JSON.parse(await at.read(await at.fetch(`http://api.test:${port}/start`, request)));
    expect(arrived).toMatchObject({ method: becomes, body });
    expect(arrived.headers['content-type']).toBe(body === '' ? undefined : 'text/plain');
  });

  it('that wants a streamed body a second time fails, and the stream is let go of', async () => {
    const port = await redirectTo(() => '/next', 307);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const sending = at.fetch(`http://api.test:${port}/start`, { method: 'PUT', body: { kind: 'stream', stream: 1 } });
    at.guest.sayText('[{"stream":1,"op":"chunk"},{"stream":1,"op":"end"}]', [Buffer.from('x')]);
    await expect(sending).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    expect(at.guest.session.openStreams).toBe(0);
  });
});

describe('a secret', () => {
  const secrets = { key: 'open-sesame/17', line: 'a\r\nx-injected: yes' };

  it('is filled into path, query and headers on the host, and the guest sees the placeholder', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], secrets, ...local(port) });
    const url = `http://api.test:${port}/{{secret.key}}?q={{secret.key}}`;
    const response = await at.fetch(url, { headers: [['authorization', 'Bearer {{secret.key}}']] });
    expect(response.url).toBe(url);
    const arrived = JSON.parse(await at.read(response));
    expect(arrived.url).toBe('/open-sesame%2F17?q=open-sesame%2F17');
    expect(arrived.headers.authorization).toBe('Bearer open-sesame/17');
  });

  it('is filled in as the realm’s own URL class writes the placeholder', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], secrets, ...local(port) });
    const { href } = new URL(`http://api.test:${port}/{{secret.key}}?q={{secret.key}}`);
    const arrived = JSON.parse(await at.read(await at.fetch(href)));
    expect(arrived.url).toBe('/open-sesame%2F17?q=open-sesame%2F17');
  });

  it.each([
    ['as the whole URL', () => '{{secret.key}}'],
    ['as the scheme', () => '{{secret.key}}:rest'],
    ['as the host', () => 'http://{{secret.key}}/'],
    ['as a level of a granted wildcard', (port: number) => `http://{{secret.key}}.test.com:${port}/`],
    ['as the port', () => 'http://api.test:{{secret.key}}/'],
    ['as a user name', (port: number) => `http://{{secret.key}}@api.test:${port}/`],
    ['for a host that was not granted', () => 'http://evil.test/{{secret.key}}'],
  ])('does not come back in an error message: %s', async (_name, url) => {
    const port = await serve(echo);
    const grants = [`http:api.test:${port}`, `http:*.test.com:${port}`];
    const at = world({ grants, secrets: { key: 'opensesame' }, ...local(port) });
    const error = await at.fetch(url(port)).then(
      () => undefined,
      (thrown: Error & { code?: string }) => thrown,
    );
    expect(error?.code).toMatch(/EGRESS_DENIED|EGRESS_FAILED|INVALID_CALL/);
    expect(error?.message).not.toContain('opensesame');
    // Nor does it go out as a name that somebody's name server sees.
    expect(at.lookups.join()).not.toContain('opensesame');
  });

  it('does not come back in the address of a redirect, nor in a header that repeats the path', async () => {
    const port = await serve((request, response) => {
      if (request.url?.endsWith('/start')) response.writeHead(302, { location: 'next' }).end();
      else response.writeHead(200, { 'content-location': request.url ?? '' }).end();
    });
    const at = world({ grants: [`http:api.test:${port}`], secrets, ...local(port) });
    const response = await at.fetch(`http://api.test:${port}/{{secret.key}}/start`);
    expect(JSON.stringify(response)).not.toContain('sesame');
    expect(response.url).toContain('{{secret.key}}/next');
  });

  it('cannot add a header of its own', async () => {
    const port = await serve(echo);
    const { fetch } = world({ grants: [`http:api.test:${port}`], secrets, ...local(port) });
    const sending = fetch(`http://api.test:${port}/`, { headers: [['x-a', '{{secret.line}}']] });
    await expect(sending).rejects.toMatchObject({ code: 'INVALID_CALL' });
    await expect(sending).rejects.not.toThrow('injected');
  });

  it('that does not exist is named', async () => {
    const { fetch } = world({ grants: ['http:api.test'] });
    await expect(fetch('http://api.test/{{secret.nope}}')).rejects.toThrow('"nope"');
  });
});

describe('a header', () => {
  it.each([
    ['host', 'evil.test'],
    ['content-length', '0'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'close'],
    ['upgrade', 'h2c'],
    ['proxy-authorization', 'Basic eA=='],
    ['expect', '100-continue'],
    ['Host', 'evil.test'],
    ['x-a', 'b\r\nx-injected: yes'],
    ['x-a', 'b\nc'],
    ['x-a', 'b\0c'],
    ['x-a', 'smile 😀'],
    ['x-a\r\nx-injected', 'yes'],
    ['x a', 'b'],
    ['x:a', 'b'],
    ['', 'b'],
    [':path', '/x'],
  ])('that HTTP or the host does not allow is refused: %j', async (name, value) => {
    const port = await serve(echo);
    const { fetch } = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const sending = fetch(`http://api.test:${port}/`, { headers: [[name, value]] });
    await expect(sending).rejects.toMatchObject({ code: 'INVALID_CALL' });
  });

  it.each(['__proto__', 'constructor', 'toString'])('called %s is a header like any other', async (name) => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const arrived = await at.read(await at.fetch(`http://api.test:${port}/`, { headers: [[name, 'plain']] }));
    expect(JSON.parse(arrived).raw).toEqual(expect.arrayContaining([name.toLowerCase(), 'plain']));
    expect(arrived).not.toContain('native code');
  });
});

describe('a request of another shape', () => {
  it.each([
    ['no object', 7],
    ['nothing', undefined],
    ['a key more', { id: 1, method: 'GET', url: 'http://api.test/', headers: [], body: { kind: 'none' }, agent: {} }],
    ['no id', { method: 'GET', url: 'http://api.test/', headers: [], body: { kind: 'none' } }],
    ['a method with a space', { id: 1, method: 'GET /', url: 'http://api.test/', headers: [], body: { kind: 'none' } }],
  ])('is refused: %s', async (_name, request) => {
    const egress = createHttpEgress(
      { allowPrivate: new Set(), timeoutMs: 100, maxResponseBytes: 1 },
      { granted: () => [], secret: () => undefined },
    );
    egresses.push(egress);
    const guest = scriptGuest();
    const methods = egress.capability({
      module: 'm',
      session: () => guest.session,
      admitLine: () => true,
      signal: new AbortController().signal,
    });
    await expect(methods.fetch?.(request)).rejects.toMatchObject({ code: 'INVALID_CALL' });
  });

  it.each(['CONNECT', 'TRACE', 'trace', 'TRACK'])('is refused: %s', async (method) => {
    const { fetch } = world({ grants: ['http:api.test'] });
    await expect(fetch('http://api.test/', { method })).rejects.toMatchObject({ code: 'INVALID_CALL' });
  });
});

describe('a body that the guest streams', () => {
  it.each([
    ['the host was not granted', { url: 'http://evil.test/' }],
    ['a secret does not exist', { headers: [['x', '{{secret.nope}}']] }],
    ['a header is not allowed', { headers: [['host', 'x']] }],
    ['the method is not allowed', { method: 'TRACE' }],
  ])('is let go of when %s', async (_name, change) => {
    const at = world({ grants: ['http:api.test'] });
    at.guest.sayText('[{"stream":1,"op":"chunk"}]', [new Uint8Array(10)]);
    const request = { method: 'PUT', body: { kind: 'stream', stream: 1 }, ...change };
    await expect(at.fetch('http://api.test/', request)).rejects.toHaveProperty('code');
    expect(at.guest.session.openStreams).toBe(0);
  });

  it('and that does not exist is the guest’s fault, not the host’s', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const request = { method: 'PUT', body: { kind: 'stream', stream: 99_999 } };
    await expect(at.fetch(`http://api.test:${port}/`, request)).rejects.toMatchObject({ code: 'INVALID_CALL' });
  });
});

describe('an upstream', () => {
  it('that answers more than the limit is cut off there', async () => {
    const port = await serve((_request, response) => {
      for (let count = 0; count < 64; count++) response.write(Buffer.alloc(64 * 1024));
      response.end();
    });
    const settings = { maxResponseBytes: 512 * 1024, allowPrivate: new Set([`api.test:${port}`]) };
    const at = world({ grants: [`http:api.test:${port}`], settings });
    await expect(at.read(await at.fetch(`http://api.test:${port}/`))).rejects.toThrow('larger than 524288 bytes');
  });

  it('that never answers is given up on', async () => {
    const port = await serve(() => {});
    const settings = { timeoutMs: 150, allowPrivate: new Set([`api.test:${port}`]) };
    const at = world({ grants: [`http:api.test:${port}`], settings });
    await expect(at.fetch(`http://api.test:${port}/`)).rejects.toThrow('did not answer in time');
  });

  it('that drips its answer is given up on when its whole time is over', async () => {
    const port = await serve((_request, response) => {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const settings = { timeoutMs: 200, allowPrivate: new Set([`api.test:${port}`]) };
    const at = world({ grants: [`http:api.test:${port}`], settings });
    await expect(at.read(await at.fetch(`http://api.test:${port}/`))).rejects.toThrow('took too long');
  });

  it('that hangs up is reported without the host’s words about addresses', async () => {
    const port = await serve((_request, response) => {
      response.write('half');
      response.destroy();
    });
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const failure = await at
      .fetch(`http://api.test:${port}/`)
      .then(at.read)
      .then(
        () => '',
        (error: Error) => error.message,
      );
    expect(failure).toMatch(/broke off|could not be reached/);
    expect(failure).not.toContain('127.0.0.1');
  });

  it('that nobody listens at is reported without its address', async () => {
    const port = await serve(echo);
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const error = await at.fetch(`http://api.test:${port}/`).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'EGRESS_FAILED' });
    expect((error as Error).message).not.toContain('127.0.0.1');
  });
});

describe('requests of one module', () => {
  const hanging = async () => {
    let open = 0;
    const port = await serve((_request, response) => {
      open += 1;
      response.on('close', () => {
        open -= 1;
      });
    });
    return { port, open: () => open };
  };

  it('are limited in number, also when the guest gives them all one id', async () => {
    const { port, open } = await hanging();
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const url = `http://api.test:${port}/`;
    const running = Array.from({ length: 32 }, () => at.fetch(url).catch((error: unknown) => error));
    await expect(at.fetch(url)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    // The others wait for one of the connections to this host.
    await until(() => open() === 16);
    at.abortInstance();
    await Promise.all(running);
    const again = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const first = again.fetch(url, { id: 7 }).catch((error: unknown) => error);
    await expect(again.fetch(url, { id: 7 })).rejects.toMatchObject({ code: 'INVALID_CALL' });
    again.abortInstance();
    await first;
  });

  it('end with its instance', async () => {
    const { port, open } = await hanging();
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const running = at.fetch(`http://api.test:${port}/`);
    running.catch(() => {});
    await until(() => open() === 1);
    at.abortInstance();
    await expect(running).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
    await until(() => open() === 0);
  });

  it('end one by one when the guest cancels them', async () => {
    const { port, open } = await hanging();
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const running = at.fetch(`http://api.test:${port}/`, { id: 41 });
    running.catch(() => {});
    await until(() => open() === 1);
    for (const junk of [undefined, 'x', {}, 42, '__proto__']) await at.cancel(junk as never);
    expect(open()).toBe(1);
    await at.cancel(41);
    await expect(running).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });

  it('do not keep another module from the same upstream', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/quick') response.end('quick');
    });
    const at = world({ grants: [`http:api.test:${port}`], ...local(port) });
    const slow = Array.from({ length: 32 }, () => at.fetch(`http://api.test:${port}/slow`).catch(() => {}));
    const other = scriptGuest();
    const egress = egresses.at(-1);
    const methods = egress?.capability({
      module: 'other',
      session: () => other.session,
      admitLine: () => true,
      signal: new AbortController().signal,
    });
    const request = { id: 1, method: 'GET', url: `http://api.test:${port}/quick`, headers: [], body: { kind: 'none' } };
    expect(await methods?.fetch?.(request)).toMatchObject({ status: 200 });
    at.abortInstance();
    await Promise.all(slow);
  });
});
