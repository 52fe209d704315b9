/** A host for tests: capabilities are the test's own functions, streams stay in memory. */
import type { ByteSource, HostBinding, LogLevel } from '../module/host-binding.ts';
import type { HttpRequest, HttpResponse } from '../protocol/capabilities/http.ts';
import type { Tier } from '../protocol/declaration.ts';
import { PlexiError } from '../protocol/errors.ts';
import { createFakeTasks, type FakeEnqueue, type FakeTasks } from './fake-tasks.ts';

export interface FakeUser {
  readonly tier: Tier;
  readonly permissions: readonly string[];
}

export interface Fakes {
  /** Answers `this.http.fetch`. */
  readonly http?: (request: Request) => Response | Promise<Response>;
  /** Whom getUserTier and checkPermissions know, by id. */
  readonly users?: Readonly<Record<string, FakeUser>>;
  /** Takes what `this.tasks.enqueue` gives: may throw what the queue would, or answer the id of the run. */
  readonly tasks?: FakeEnqueue;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface FakeHost {
  readonly binding: HostBinding;
  readonly logged: LogLine[];
  readonly tasks: FakeTasks;
  /** Opens a stream that the module sends. */
  takeStream(id: number): ByteSource;
  /** Offers a stream for the module to read. */
  offerStream(source: ByteSource): number;
}

type FakeMethod = (...args: never[]) => unknown;

export function createFakeHost(fakes: Fakes): FakeHost {
  const logged: LogLine[] = [];
  const streams = new Map<number, ByteSource>();
  let lastStream = 0;
  const offerStream = (source: ByteSource): number => {
    streams.set(++lastStream, source);
    return lastStream;
  };
  const takeStream = (id: number): ByteSource => {
    const source = streams.get(id);
    if (source === undefined) throw new Error(`stream ${id} does not exist or is being read already`);
    streams.delete(id);
    return source;
  };
  const tasks = createFakeTasks(fakes.tasks);
  const capabilities: Readonly<Record<string, FakeMethod>> = {
    'http.fetch': (wire: HttpRequest) => fakeFetch(fakes, wire, takeStream, offerStream),
    'http.cancel': () => undefined,
    'users.tier': (id: string) => fakes.users?.[id]?.tier ?? null,
    'users.permissions': (id: string) => fakes.users?.[id]?.permissions ?? [],
    'tasks.enqueue': tasks.enqueue,
  };
  return {
    logged,
    tasks,
    takeStream,
    offerStream,
    binding: {
      async call(capability, method, args) {
        const fake = capabilities[`${capability}.${method}`];
        if (fake === undefined)
          throw new PlexiError('INVALID_CALL', `The test harness has no fake for ${capability}.${method}.`);
        return fake(...(args as never[]));
      },
      log(level, message, fields) {
        logged.push(fields === undefined ? { level, message } : { level, message, fields });
      },
      readStream: takeStream,
      writeStream: offerStream,
      reportTask: tasks.report,
      setTimeout: (callback, ms) => Number(setTimeout(callback, ms)),
      clearTimeout: (id) => clearTimeout(id),
      settingsDebug: true,
    },
  };
}

/** All bytes of a stream. */
export async function readStream(source: ByteSource): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read())
    chunks.push(new Uint8Array(chunk));
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Bytes as a stream of one piece. */
export function streamOf(bytes: Uint8Array): ByteSource {
  const pieces = bytes.byteLength === 0 ? [] : [bytes];
  return { read: async () => pieces.shift(), cancel: () => void pieces.splice(0) };
}

async function fakeFetch(
  fakes: Fakes,
  wire: HttpRequest,
  take: (id: number) => ByteSource,
  offer: (source: ByteSource) => number,
): Promise<HttpResponse> {
  if (fakes.http === undefined) {
    throw new PlexiError(
      'EGRESS_DENIED',
      `No fake answers ${wire.url}: give createModuleHarness a "fakes.http" function.`,
    );
  }
  const { method, url, headers, body } = wire;
  const bytes = body.kind === 'stream' ? await readStream(take(body.stream)) : body.kind === 'text' ? body.text : null;
  const response = await fakes.http(new Request(url, { method, headers, body: bytes }));
  const answer = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    statusText: response.statusText,
    url: response.url === '' ? url : response.url,
    headers: [...response.headers],
    body: answer.byteLength === 0 ? { kind: 'none' } : { kind: 'stream', stream: offer(streamOf(answer)) },
  };
}
