/**
 * Files: a module reaches the folders that it was granted, and nothing else. Each call is checked against what was
 * granted, then step by step against what is on the disk; it is bounded in time, size and number.
 */
import type { ByteSource } from '@plexichat/sdk/protocol/body-streams';
import { FILES_METHODS, type OpenedFile } from '@plexichat/sdk/protocol/capabilities/files';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { explainFilePath, folderOf, isWithin } from '@plexichat/sdk/protocol/file-path';
import type { BodyRef } from '@plexichat/sdk/protocol/invocation';
import { Compile } from 'typebox/compile';
import type { Session } from '../bridge/session.ts';
import type { Capability } from './capability.ts';
import { openStream, sendStream } from './egress-body.ts';
import { Disk } from './file-disk.ts';
import { toFileError } from './file-errors.ts';
import { FileLanes } from './file-lanes.ts';
import { listFolder } from './file-list.ts';
import { createFileSource, openToRead } from './file-read.ts';
import { removeFile, statFile } from './file-remove.ts';
import { createSealed } from './file-sealed.ts';
import type { Walk } from './file-walk.ts';
import { FileWork } from './file-work.ts';
import { writeFile } from './file-write.ts';
import type { Permission } from './permission.ts';
import { covers } from './permission-cover.ts';
import type { PermissionGate } from './permission-gate.ts';

type FilesPermission = Extract<Permission, { capability: 'files' }>;

export interface FilesSettings {
  /** Of one file that is read or written. */
  readonly maxBytes: number;
  /** Absolute; the host's own folders, closed whatever was granted. */
  readonly sealed: readonly string[];
  readonly deadlineMs?: number;
  /** How long a stream may rest. */
  readonly idleMs?: number;
  readonly disk?: Disk;
}

export interface FilesGrants {
  granted(module: string): readonly Permission[];
  /** A path that was granted as it is written led out, or to what no module may have. */
  onDenied?(module: string, asked: Permission, what: string): void;
}

const DEADLINE_MS = 30_000;
const IDLE_MS = 60_000;
/** Of one module, over all its instances. */
const MAX_RUNNING = 32;
const MAX_OPEN = 16;

const check = {
  read: Compile(FILES_METHODS.read.args),
  write: Compile(FILES_METHODS.write.args),
  list: Compile(FILES_METHODS.list.args),
  stat: Compile(FILES_METHODS.stat.args),
  remove: Compile(FILES_METHODS.remove.args),
};

interface Usage {
  running: number;
  open: number;
}

export function createFilesCapability(settings: FilesSettings, gate: PermissionGate, grants: FilesGrants): Capability {
  const { maxBytes, deadlineMs = DEADLINE_MS, idleMs = IDLE_MS, disk = new Disk() } = settings;
  const lanes = new FileLanes();
  const lookAtSealed = createSealed(settings.sealed);
  const usages = new Map<string, Usage>();

  return ({ module, session, signal }) => {
    const usage = usages.get(module) ?? { running: 0, open: 0 };
    usages.set(module, usage);

    /** Boundary: every path comes through here, before the disk hears of it. */
    const find = (access: FilesPermission['access'], path: string, action: string, asked = folderOf(path)) => {
      const problem = explainFilePath(path);
      if (problem !== undefined) throw invalid(`The path ${shown(path)} ${problem}.`);
      const permission: FilesPermission = { capability: 'files', access, directory: path };
      const granted = closest(grants.granted(module), permission);
      const needed = granted !== undefined || asked === '/' ? permission : { ...permission, directory: asked };
      gate.require(module, needed, `${action} ${path}`);
      if (granted === undefined) throw new PlexiError('PERMISSION_DENIED', `${action} ${path} is not granted.`);
      const refuse = (reason: string): never => {
        const what = `${action} ${path} is refused: it ${reason}.`;
        grants.onDenied?.(module, needed, what);
        throw new PlexiError('PERMISSION_DENIED', what);
      };
      const steps = path === granted ? [] : path.slice(granted.length + 1).split('/');
      return { granted, steps, refuse };
    };

    const run = async <T>(
      path: string,
      found: Pick<Walk, 'granted' | 'refuse'>,
      act: (walk: Walk) => Promise<T>,
    ): Promise<T> => {
      if (usage.running >= MAX_RUNNING) {
        throw new PlexiError('QUOTA_EXCEEDED', `At most ${MAX_RUNNING} calls of a module for files may be under way.`);
      }
      usage.running += 1;
      const work = new FileWork({ lanes, module, signal, deadlineMs });
      try {
        return await act({ disk, work, sealed: await lookAtSealed(work), ...found });
      } catch (error) {
        throw toFileError(error, path);
      } finally {
        usage.running -= 1;
        work.end();
      }
    };

    return {
      async read(...args) {
        if (!check.read.Check(args)) throw invalid('files.read takes a path.');
        const [path] = args;
        const { steps, ...found } = find('read', path, 'Reading');
        const close = takeOpen(usage);
        const work = new FileWork({ lanes, module, signal, deadlineMs });
        try {
          const { entry, file } = await run(path, found, (walk) =>
            openToRead({ ...walk, work }, { path, steps, maxBytes }),
          );
          const source = createFileSource({ work, file, path, maxBytes, idleMs, onEnd: close });
          return { entry, body: { kind: 'stream', stream: sendStream(source, session()) } } satisfies OpenedFile;
        } catch (error) {
          work.end();
          close();
          throw error;
        }
      },
      async write(...args) {
        if (!check.write.Check(args)) {
          session().discard((args[0] as { body?: unknown } | undefined)?.body);
          throw invalid('files.write takes { path, body, overwrite, flush }.');
        }
        const [{ path, body, overwrite, flush }] = args;
        let source: ByteSource | undefined;
        let close = (): void => {};
        try {
          const { steps, ...found } = find('write', path, 'Writing');
          close = takeOpen(usage);
          source = openBody(body, session());
          const options = { path, steps, source, overwrite, flush, maxBytes, idleMs };
          return await run(path, found, (walk) => writeFile(walk, options));
        } finally {
          // What was not read is of no use to anybody.
          if (source === undefined) session().discard(body);
          else source.cancel();
          close();
        }
      },
      async list(...args) {
        if (!check.list.Check(args)) throw invalid('files.list takes { folder, recursive, limit, cursor? }.');
        const [{ folder, recursive, limit, cursor }] = args;
        const { steps, ...found } = find('read', folder, 'Listing', folder);
        const after = readCursor(folder, cursor);
        return run(folder, found, (walk) => listFolder(walk, { folder, steps, recursive, limit, after }));
      },
      async stat(...args) {
        if (!check.stat.Check(args)) throw invalid('files.stat takes a path.');
        const [path] = args;
        const { steps, ...found } = find('read', path, 'Looking at');
        return (await run(path, found, (walk) => statFile(walk, path, steps))) ?? null;
      },
      async remove(...args) {
        if (!check.remove.Check(args)) throw invalid('files.remove takes a path.');
        const [path] = args;
        const { steps, ...found } = find('write', path, 'Removing');
        return run(path, found, (walk) => removeFile(walk, path, steps));
      },
    };
  };
}

/** The most exact of the grants that reach so far: its folder is the one that the operator named. */
function closest(grants: readonly Permission[], asked: FilesPermission): string | undefined {
  return grants
    .filter((grant) => grant.capability === 'files')
    .filter((grant) => covers(grant, asked))
    .map(({ directory }) => directory)
    .sort((one, other) => other.length - one.length)[0];
}

/** @returns gives the place back, once */
function takeOpen(usage: Usage): () => void {
  if (usage.open >= MAX_OPEN) {
    throw new PlexiError('QUOTA_EXCEEDED', `At most ${MAX_OPEN} files of a module may be open; read or cancel some.`);
  }
  usage.open += 1;
  let isOpen = true;
  return () => {
    if (isOpen) usage.open -= 1;
    isOpen = false;
  };
}

function openBody(body: BodyRef, session: Session): ByteSource {
  if (body.kind === 'stream') return openStream(body.stream, session);
  const pieces = body.kind === 'text' && body.text !== '' ? [Buffer.from(body.text)] : [];
  return { read: async () => pieces.shift(), cancel: () => {} };
}

function readCursor(folder: string, cursor: string | undefined): string[] {
  if (cursor === undefined) return [];
  if (explainFilePath(cursor) !== undefined || cursor === folder || !isWithin(folder, cursor)) {
    throw invalid(`The cursor ${shown(cursor)} is not one of a page of ${folder}.`);
  }
  return cursor.slice(folder.length + 1).split('/');
}

function shown(path: string): string {
  return JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);
}

function invalid(message: string): PlexiError {
  return new PlexiError('INVALID_CALL', message);
}
