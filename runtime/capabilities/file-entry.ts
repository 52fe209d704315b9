/** What a module learns about a file. */
import type { BigIntStats } from 'node:fs';
import type { FileEntry } from '@plexichat/sdk/protocol/capabilities/files';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { refuseLink, type Walk } from './file-walk.ts';

export function entryOf(path: string, stats: BigIntStats): FileEntry {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { path, kind, size: kind === 'file' ? Number(stats.size) : 0, modified: Number(stats.mtimeMs) };
}

/** For what is no plain file, where one is wanted. */
export function refuseKind(refuse: Walk['refuse'], stats: BigIntStats, path: string): never {
  if (stats.isSymbolicLink()) return refuseLink(refuse, path.slice(path.lastIndexOf('/') + 1));
  const what = stats.isDirectory() ? 'a folder' : 'no plain file (a device, a pipe or a socket)';
  throw new PlexiError('INVALID_CALL', `${path} is ${what}.`);
}
