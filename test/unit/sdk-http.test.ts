import { EgressDeniedError, PermissionDeniedError } from '@plexichat/sdk';
import type { HostBinding } from '@plexichat/sdk/module/host-binding';
import { type HttpRequest, HttpRequestSchema, type HttpResponse } from '@plexichat/sdk/protocol/capabilities/http';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { createHttpClient } from '../../sdk/capabilities/http.ts';
import { createFakeHost, readStream } from '../../sdk/testing/fake-host.ts';

const EMPTY: HttpResponse = {
  status: 200,
  statusText: 'OK',
  url: 'https://a.test/',
  headers: [],
  body: { kind: 'none' },
};

function clientWith(answer: (wire: HttpRequest) => Promise<HttpResponse> | HttpResponse) {
  const calls: [method: string, argument: unknown][] = [];
  const host = createFakeHost({});
  const binding: HostBinding = {
    ...host.binding,
    async call(capability, method, args) {
      calls.push([`${capability}.${method}`, args[0]]);
      if (method !== 'fetch') return undefined;
      expect(Value.Check(HttpRequestSchema, args[0])).toBe(true);
      return answer(args[0] as HttpRequest);
    },
  };
  return { http: createHttpClient(binding), calls, host };
}

describe('http.fetch', () => {
  it('sends method, address, headers and body, and gives a Response', async () => {
    const { http, calls, host } = clientWith(() => ({
      ...EMPTY,
      status: 201,
      url: 'https://a.test/after',
      headers: [['content-type', 'application/json']],
      body: { kind: 'text', text: '{"a":1}' },
    }));
    const reply = await http.fetch('https://a.test/x?y=1', {
      method: 'post',
      headers: { 'X-Key': 'k' },
      body: 'hällo',
      timeoutMs: 500,
    });
    expect([reply.status, reply.ok, reply.url, await reply.json()]).toEqual([
      201,
      true,
      'https://a.test/after',
      { a: 1 },
    ]);
    const wire = calls[0]?.[1] as HttpRequest;
    expect(wire).toMatchObject({ id: 1, method: 'POST', url: 'https://a.test/x?y=1', timeoutMs: 500 });
    expect(wire.headers).toContainEqual(['x-key', 'k']);
    if (wire.body.kind !== 'stream') throw new Error('Node’s Request is streamed');
    expect(new TextDecoder().decode(await readStream(host.takeStream(wire.body.stream)))).toBe('hällo');
  });

  it('takes a URL and a Request, and gives each request its own number', async () => {
    const { http, calls } = clientWith(() => EMPTY);
    await http.fetch(new URL('https://a.test/1'));
    await http.fetch(new Request('https://a.test/2', { method: 'DELETE' }));
    await http.fetch(new Request('https://a.test/3', { method: 'DELETE' }), { method: 'PUT' });
    expect(calls.map(([, wire]) => wire)).toMatchObject([
      { id: 1, method: 'GET', url: 'https://a.test/1', body: { kind: 'none' } },
      { id: 2, method: 'DELETE' },
      { id: 3, method: 'PUT' },
    ]);
  });

  it('keeps secret placeholders for the host to fill in', async () => {
    const { http, calls } = clientWith(() => EMPTY);
    await http.fetch('https://a.test/?key={{secret.api_key}}', {
      headers: { authorization: 'Bearer {{secret.api_key}}' },
    });
    const wire = calls[0]?.[1] as HttpRequest;
    expect(wire.url).toBe('https://a.test/?key={{secret.api_key}}');
    expect(wire.headers).toContainEqual(['authorization', 'Bearer {{secret.api_key}}']);
  });

  it('throws a typed error for what the host refuses', async () => {
    const refuse = (code: 'PERMISSION_DENIED' | 'EGRESS_DENIED' | 'EGRESS_FAILED') =>
      clientWith(() => Promise.reject(new PlexiError(code, `${code}: http:a.test`))).http.fetch('https://a.test/');
    await expect(refuse('PERMISSION_DENIED')).rejects.toThrow(PermissionDeniedError);
    await expect(refuse('EGRESS_DENIED')).rejects.toThrow(EgressDeniedError);
    await expect(refuse('EGRESS_FAILED')).rejects.toMatchObject({ code: 'EGRESS_FAILED' });
  });

  it('cancels at the host when the signal aborts, and rejects with its reason', async () => {
    const { http, calls } = clientWith(() => new Promise<never>(() => {}));
    const controller = new AbortController();
    const reply = http.fetch('https://a.test/', { signal: controller.signal });
    await expect.poll(() => calls.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(reply).rejects.toThrow('enough');
    expect(calls[1]).toEqual(['http.cancel', 1]);
  });

  it('breaks off a body when the signal aborts after the head has come', async () => {
    const pieces: ((chunk: Uint8Array | undefined) => void)[] = [];
    const { http, host } = clientWith(() => ({
      ...EMPTY,
      body: {
        kind: 'stream',
        stream: host.offerStream({
          read: () => new Promise((resolve) => pieces.push(resolve)),
          cancel: () => pieces.shift()?.(undefined),
        }),
      },
    }));
    const controller = new AbortController();
    const reply = await http.fetch('https://a.test/', { signal: controller.signal });
    const text = reply.text();
    await expect.poll(() => pieces.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(text).rejects.toThrow('enough');
  });

  it('asks nobody when the signal has aborted already', async () => {
    const { http, calls } = clientWith(() => EMPTY);
    await expect(http.fetch('https://a.test/', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(calls).toEqual([]);
  });

  it('gives an answer without a body where the status allows none', async () => {
    const { http } = clientWith(() => ({ ...EMPTY, status: 204, statusText: 'No\u0007 Content' }));
    const reply = await http.fetch('https://a.test/');
    expect([reply.status, reply.body, reply.statusText]).toEqual([204, null, 'No Content']);
  });
});
