/** The files capability on a real disk, without a guest: its bodies stay in memory. */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import type { FileEntry, FilePage, OpenedFile } from '@plexichat/sdk/protocol/capabilities/files';
import type { BodyRef } from '@plexichat/sdk/protocol/invocation';
import type { Session } from '../../runtime/bridge/session.ts';
import type { CapabilityContext } from '../../runtime/capabilities/capability.ts';
import { createFilesCapability, type FilesSettings } from '../../runtime/capabilities/files.ts';
import { type Permission, parsePermission } from '../../runtime/capabilities/permission.ts';
import { createPermissionGate } from '../../runtime/capabilities/permission-gate.ts';
import { tempFolder } from './temp-folder.ts';

export interface FileRoom {
  /** Around the granted folder: what is beside it is outside. */
  readonly outside: string;
  /** Granted, both ways, unless other grants are given. */
  readonly inside: string;
  /** What the operator is told about. */
  readonly denied: string[];
  /** Bodies that were given and that nobody will read. */
  readonly discarded: unknown[];
  call(method: string, ...args: unknown[]): Promise<unknown>;
  readText(path: string): Promise<string>;
  open(path: string): Promise<ByteSource>;
  write(path: string, content: string | ByteSource, options?: object): Promise<boolean>;
  list(folder: string, options?: object): Promise<FilePage>;
  stat(path: string): Promise<FileEntry | null>;
  remove(path: string): Promise<boolean>;
  /** Ends the instance. */
  end(): void;
}

export interface FileRoomOptions extends Partial<FilesSettings> {
  readonly files?: Readonly<Record<string, string>>;
  /** Text forms, made from the folder that is granted. */
  readonly grants?: (inside: string) => readonly string[];
}

export function openFileRoom({ files = {}, grants = bothWays, ...settings }: FileRoomOptions = {}): FileRoom {
  const outside = realpathSync(tempFolder({ 'secret.txt': 'outside', ...files }));
  const inside = join(outside, 'granted');
  mkdirSync(inside, { recursive: true });
  const denied: string[] = [];
  const discarded: unknown[] = [];
  const granted = (): readonly Permission[] => grants(inside).map(read);
  const gate = createPermissionGate({
    granted,
    onDenied: (_module, asked) => denied.push(JSON.stringify(asked)),
  });
  const streams: ByteSource[] = [];
  const ended = new AbortController();
  const session = {
    readStream: (id: number) => streams[id - 1],
    writeStream: (source: ByteSource) => streams.push(source),
    discard: (body: unknown) => void discarded.push(body),
  } as unknown as Session;
  const methods = createFilesCapability({ maxBytes: 1024 * 1024, sealed: [], ...settings }, gate, {
    granted,
    onDenied: (_module, _asked, what) => denied.push(what),
  })({ module: 'demo', session: () => session, signal: ended.signal } as CapabilityContext);

  const call = async (method: string, ...args: unknown[]): Promise<unknown> => methods[method]?.(...args);
  const open = async (path: string): Promise<ByteSource> => {
    const { body } = (await call('read', path)) as OpenedFile;
    const source = body.kind === 'stream' ? streams[body.stream - 1] : undefined;
    if (source === undefined) throw new Error('files.read answered without a stream');
    return source;
  };
  const bodyOf = (content: string | ByteSource): BodyRef =>
    typeof content === 'string' ? { kind: 'text', text: content } : { kind: 'stream', stream: streams.push(content) };
  return {
    outside,
    inside,
    denied,
    discarded,
    call,
    open,
    async readText(path) {
      const source = await open(path);
      const pieces: Uint8Array[] = [];
      for (let piece = await source.read(); piece !== undefined; piece = await source.read()) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    },
    write: async (path, content, options = {}) =>
      (await call('write', { path, body: bodyOf(content), overwrite: true, flush: false, ...options })) as boolean,
    list: async (folder, options = {}) =>
      (await call('list', { folder, recursive: false, limit: 1000, ...options })) as FilePage,
    stat: async (path) => (await call('stat', path)) as FileEntry | null,
    remove: async (path) => (await call('remove', path)) as boolean,
    end: () => ended.abort(),
  };
}

const bothWays = (inside: string): string[] => [`files:read:${inside}`, `files:write:${inside}`];

function read(text: string): Permission {
  const parsed = parsePermission(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.permission;
}
