/** What a path of `files` may look like. Pure, so that host, guest and the harness's fake refuse the same; no schema. */

export const MAX_FILE_PATH_BYTES = 4096;
/** Entries of one answer of `list`. */
export const MAX_LIST_ENTRIES = 1000;
const MAX_NAME_BYTES = 255;

/** What is wrong with a path, as the end of a sentence; undefined when nothing is. */
export function explainFilePath(path: unknown): string | undefined {
  if (typeof path !== 'string') return 'is no text';
  if (!path.startsWith('/')) return 'must start with "/"';
  if (path.includes('\0')) return 'must not contain a NUL';
  // Node would write it as another name: two texts for one file.
  if (!path.isWellFormed()) return 'is no well-formed text';
  if (utf8Length(path) > MAX_FILE_PATH_BYTES) return `is longer than ${MAX_FILE_PATH_BYTES} bytes`;
  for (const name of path.slice(1).split('/')) {
    // Boundary: nothing is normalized, since what is checked must be what is opened.
    if (name === '' || name === '.' || name === '..')
      return 'must be plain: no "..", no ".", no "//", no "/" at the end';
    if (utf8Length(name) > MAX_NAME_BYTES) return `has a name of more than ${MAX_NAME_BYTES} bytes`;
  }
  return undefined;
}

/** Both plain: is the path the folder, or below it? */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The folder that a plain path is in; `/` for those at the top. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // Half of a pair counts two: together they take four.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
