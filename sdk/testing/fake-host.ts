/** A host for tests: capabilities are the test's own functions, streams stay in memory. */
import type { ByteSource, HostBinding, LogLevel } from '../module/host-binding.ts';
import type { CacheSet } from '../protocol/capabilities/cache.ts';
import type { HttpRequest, HttpResponse } from '../protocol/capabilities/http.ts';
import type { CallRequest } from '../protocol/capabilities/modules.ts';
import type { StorageList, StorageSet, StorageSwap } from '../protocol/capabilities/storage.ts';
import type { Tier } from '../protocol/declaration.ts';
import { PlexiError } from '../protocol/errors.ts';
import { FakeDatabase } from './fake-database.ts';
import { createFakeDebug, type FakeDebug } from './fake-debug.ts';
import { FakeEntries } from './fake-entries.ts';
import { createFakeEvents, type FakeEvents } from './fake-events.ts';
import { createFakeFiles, type FakeFiles } from './fake-files.ts';
import { callFakeModule, type FakeModules } from './fake-modules.ts';
import { createFakeNotifications, type FakeNotifications } from './fake-notifications.ts';
import { createFakeSecurityLog, type FakeSecurityLog } from './fake-security-log.ts';
import { createFakeTasks, type FakeEnqueue, type FakeTasks } from './fake-tasks.ts';

export interface FakeUser {
  readonly tier: Tier;
  readonly permissions: readonly string[];
}

export interface Fakes {
  /** Answers `this.http.fetch`. */
  readonly http?: (request: Request) => Response | Promise<Response>;
  /** Other modules: module → method → what it answers. */
  readonly modules?: FakeModules;
  /** Whom getUserTier and checkPermissions know, by id. */
  readonly users?: Readonly<Record<string, FakeUser>>;
  /** The folders that `this.files` reaches, made by createFakeFiles. Default: nothing in them, everything granted. */
  readonly files?: FakeFiles;
  /** What `this.storage` has in it at the start. */
  readonly storage?: Readonly<Record<string, unknown>>;
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
  readonly events: FakeEvents;
  readonly notifications: FakeNotifications;
  readonly securityLog: FakeSecurityLog;
  readonly storage: FakeEntries;
  readonly debug: FakeDebug;
  readonly database: FakeDatabase;
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
  const events = createFakeEvents();
  const notifications = createFakeNotifications();
  const securityLog = createFakeSecurityLog();
  const storage = new FakeEntries(fakes.storage);
  const debug = createFakeDebug();
  const cache = new FakeEntries();
  const database = new FakeDatabase();
  const capabilities: Readonly<Record<string, FakeMethod>> = {
    'http.fetch': (wire: HttpRequest) => fakeFetch(fakes, wire, takeStream, offerStream),
    'http.cancel': () => undefined,
    'modules.call': (request: CallRequest, args: unknown) => callFakeModule(fakes.modules ?? {}, request, args),
    'modules.cancel': () => undefined,
    'debug.breakpoint': debug.breakpoint,
    'users.tier': (id: string) => fakes.users?.[id]?.tier ?? null,
    'users.permissions': (id: string) => fakes.users?.[id]?.permissions ?? [],
    'tasks.enqueue': tasks.enqueue,
    'events.emit': events.emit,
    'events.subscribe': events.subscribe,
    'events.unsubscribe': events.unsubscribe,
    'notifications.send': notifications.send,
    ...(fakes.files ?? createFakeFiles()).methods({ take: takeStream, offer: offerStream }),
    'securityLog.write': securityLog.write,
    'storage.get': (key: string) => storage.get(key),
    'storage.set': (entry: StorageSet) => storage.set(entry),
    'storage.delete': (key: string) => storage.delete(key),
    'storage.list': (list: StorageList) => storage.list(list),
    'storage.compareAndSet': (swap: StorageSwap) => storage.compareAndSet(swap),
    'db.query': database.query,
    'db.begin': database.begin,
    'db.inside': database.inside,
    'db.commit': database.commit,
    'db.rollback': database.rollback,
    'cache.get': (key: string) => cache.get(key),
    'cache.set': (entry: CacheSet) => cache.set(entry),
    'cache.delete': (key: string) => cache.delete(key),
  };
  return {
    logged,
    tasks,
    events,
    notifications,
    securityLog,
    storage,
    debug,
    database,
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
