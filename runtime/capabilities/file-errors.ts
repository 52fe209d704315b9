/** What went wrong with a file, in words for an author; nothing of the host's own goes into them. */
import { type ErrorCode, PlexiError } from '@plexichat/sdk/protocol/errors';

const WORDS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['NOT_FOUND', 'does not exist'],
  ENOTDIR: ['INVALID_CALL', 'is no folder, or leads through something that is none'],
  EISDIR: ['INVALID_CALL', 'is a folder'],
  ENOTEMPTY: ['INVALID_CALL', 'is a folder that is not empty; only empty ones can be removed'],
  EBUSY: ['FILES_UNAVAILABLE', 'is in use by the system'],
  ENAMETOOLONG: ['INVALID_CALL', 'is too long for the file system'],
  EINVAL: ['INVALID_CALL', 'has a name that the file system does not take'],
  EILSEQ: ['INVALID_CALL', 'has a name that the file system does not take'],
  EACCES: ['FILES_UNAVAILABLE', "is closed to the host's own user"],
  EPERM: ['FILES_UNAVAILABLE', "is closed to the host's own user"],
  EROFS: ['FILES_UNAVAILABLE', 'is on a disk that can only be read'],
  ENOSPC: ['FILES_UNAVAILABLE', 'cannot be written: the disk is full'],
  EDQUOT: ['FILES_UNAVAILABLE', 'cannot be written: the disk quota is used up'],
  EMFILE: ['FILES_UNAVAILABLE', 'cannot be opened: the host has too many files open'],
  ENFILE: ['FILES_UNAVAILABLE', 'cannot be opened: the host has too many files open'],
};

/** @param path as the module wrote it */
export function toFileError(error: unknown, path: string): unknown {
  if (error instanceof PlexiError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (typeof code !== 'string') return error;
  const [kind, words] = Object.hasOwn(WORDS, code) ? (WORDS[code] ?? UNKNOWN(code)) : UNKNOWN(code);
  return new PlexiError(kind, `${path} ${words}.`, { cause: error });
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}

const UNKNOWN = (code: string): readonly [ErrorCode, string] => ['FILES_UNAVAILABLE', `cannot be used (${code})`];
