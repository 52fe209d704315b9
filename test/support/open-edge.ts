/** A host's edge on a real port, before a module that is open to everybody and notes what reaches it. */
import { text } from 'node:stream/consumers';
import type { GatewayOptions } from '../../runtime/gateway/app.ts';
import { type SocketLimits, serveGateway } from '../../runtime/gateway/serve.ts';
import { type FakeEndpoint, type FakeHandler, fakeGateway, fakeModule, json, LIMITS, OPEN } from './fake-modules.ts';

export const ROOT = '/api/v1/demo';

export interface Seen {
  readonly handler: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export interface OpenEdge {
  readonly url: string;
  readonly port: number;
  readonly seen: Seen[];
  readonly errors: Error[];
  close(): Promise<void>;
}

export interface OpenEdgeOptions {
  /** Default: every method at `/` and below. */
  readonly endpoints?: Readonly<Record<string, FakeEndpoint>>;
  readonly gateway?: Partial<GatewayOptions>;
  readonly limits?: SocketLimits;
}

export async function startOpenEdge({
  endpoints = EVERYTHING,
  gateway,
  limits,
}: OpenEdgeOptions = {}): Promise<OpenEdge> {
  const seen: Seen[] = [];
  const errors: Error[] = [];
  const noted = Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => [name, { ...endpoint, run: note(seen, endpoint.run) }]),
  );
  const app = fakeGateway([fakeModule({ manifest: OPEN, endpoints: noted })], {
    limits: { ...LIMITS, bodyTimes: { stallMs: 200, totalMs: 400 } },
    ...gateway,
  });
  const serving = await serveGateway(app, {
    host: '127.0.0.1',
    port: 0,
    limits: { closeTimeoutMs: 100, lingerPauseMs: 50, lingerMs: 100, timeoutCheckMs: 20, ...limits },
    onError: (error) => errors.push(error),
  });
  return { url: serving.url, port: serving.port, seen, errors, close: () => serving.close() };
}

const EVERYTHING: Readonly<Record<string, FakeEndpoint>> = Object.fromEntries(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => [
    [`${method} /`, {}],
    [`${method} /*`, {}],
  ]),
);

function note(seen: Seen[], run: FakeHandler = ({ method, url }) => json({ method, url })): FakeHandler {
  return async (request, options) => {
    const { handler, method, url, params } = request;
    const { body } = options;
    const taken =
      body.kind === 'stream' && run.length < 2 ? await text(body.stream).catch(() => '(broken)') : body.kind;
    const headers = Object.fromEntries(request.headers);
    seen.push({ handler, method, url, headers, params: { ...params }, body: body.kind === 'text' ? body.text : taken });
    return run(request, options);
  };
}
