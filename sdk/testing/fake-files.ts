/** The folders of a test: a tree in memory with the rules of the host. */
import type { ByteSource } from '../protocol/body-streams.ts';
import type { FileEntry, FileList, FilePage, FileWrite, OpenedFile } from '../protocol/capabilities/files.ts';
import { PlexiError } from '../protocol/errors.ts';
import { explainFilePath, folderOf, isWithin } from '../protocol/file-path.ts';
import type { BodyRef } from '../protocol/invocation.ts';

export interface FakeFile {
  readonly content: string | Uint8Array;
  /** Default: now. */
  readonly modified?: Date;
}

export interface FakeFilesOptions {
  /** As in config.yaml: `files:read:/dir`, `files:write:/dir`. Default: everything is granted. */
  readonly grants?: readonly string[];
}

/** Given to `createModuleHarness` as `fakes.files`; the test looks into it afterwards. */
export interface FakeFiles {
  /** Of all files, in the order of names. */
  paths(): string[];
  /** @throws Error when there is no such file */
  readText(path: string): string;
  put(path: string, file: string | FakeFile): void;
  remove(path: string): void;
  /** The methods of the host, for the harness. */
  methods(streams: FakeStreams): Readonly<Record<string, (...args: never[]) => unknown>>;
}

export interface FakeStreams {
  take(id: number): ByteSource;
  offer(source: ByteSource): number;
}

/** A folder has no bytes. */
interface Node {
  readonly bytes: Uint8Array | undefined;
  readonly modified: number;
}

/**
 * @example
 * const files = createFakeFiles({ '/srv/temp/old.log': { content: 'x', modified: new Date('2026-01-01') } });
 * const harness = await createModuleHarness(CleanupModule, { fakes: { files } });
 * await harness.runTask('cleanUp');
 * expect(files.paths()).toEqual([]);
 */
export function createFakeFiles(
  tree: Readonly<Record<string, string | FakeFile>> = {},
  { grants = ['files:read:/', 'files:write:/'] }: FakeFilesOptions = {},
): FakeFiles {
  const nodes = new Map<string, Node>();
  const put = (path: string, file: string | FakeFile): void => {
    assertPlain(path);
    const { content, modified = new Date() } = typeof file === 'string' ? { content: file } : file;
    makeFolder(nodes, folderOf(path));
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    nodes.set(path, { bytes, modified: modified.getTime() });
  };
  for (const [path, file] of Object.entries(tree)) put(path, file);
  for (const grant of grants) makeFolder(nodes, grant.replace(/^files:(read|write):/, ''));

  /** As the host has it: first the permission, then what is on the way. */
  const allow = (access: 'read' | 'write', path: string, action: string, asked = folderOf(path)): void => {
    assertPlain(path);
    const prefix = `files:${access}:`;
    const isGranted = grants
      .filter((grant) => grant.startsWith(prefix))
      .map((grant) => grant.slice(prefix.length))
      .some((folder) => folder === '/' || isWithin(folder, path));
    if (!isGranted) {
      throw new PlexiError('PERMISSION_DENIED', `${action} ${path} needs the permission ${prefix}${asked}.`);
    }
    for (let above = folderOf(path); above !== '/'; above = folderOf(above)) {
      if (nodes.get(above)?.bytes === undefined) continue;
      throw new PlexiError('INVALID_CALL', `${path} is no folder, or leads through something that is none.`);
    }
  };

  return {
    put,
    paths: () => [...nodes].flatMap(([path, { bytes }]) => (bytes === undefined ? [] : [path])).sort(),
    readText(path) {
      const bytes = nodes.get(path)?.bytes;
      if (bytes === undefined)
        throw new Error(`There is no file ${path}; there are ${this.paths().join(', ') || 'none'}.`);
      return new TextDecoder().decode(bytes);
    },
    remove: (path) => void nodes.delete(path),
    methods: (streams) => ({
      'files.read': (path: string): OpenedFile => {
        allow('read', path, 'Reading');
        const node = find(nodes, path);
        if (node.bytes === undefined) throw new PlexiError('INVALID_CALL', `${path} is a folder.`);
        const { bytes } = node;
        return { entry: entryOf(path, node), body: { kind: 'stream', stream: streams.offer(pieceOf(bytes)) } };
      },
      'files.write': async ({ path, body, overwrite }: FileWrite): Promise<boolean> => {
        allow('write', path, 'Writing');
        const bytes = await readBody(body, streams);
        const there = nodes.get(path);
        if (there !== undefined && there.bytes === undefined) {
          throw new PlexiError('INVALID_CALL', `${path} is a folder.`);
        }
        if (there !== undefined && !overwrite) return false;
        put(path, { content: bytes });
        return true;
      },
      'files.list': (request: FileList): FilePage => {
        allow('read', request.folder, 'Listing', request.folder);
        if (find(nodes, request.folder).bytes !== undefined) {
          throw new PlexiError('INVALID_CALL', `${request.folder} is no folder.`);
        }
        return listNodes(nodes, request);
      },
      'files.stat': (path: string): FileEntry | null => {
        allow('read', path, 'Looking at');
        const node = nodes.get(path);
        return node === undefined ? null : entryOf(path, node);
      },
      'files.remove': (path: string): boolean => {
        allow('write', path, 'Removing');
        if (grants.includes(`files:write:${path}`)) {
          throw new PlexiError('INVALID_CALL', `${path} is the granted folder itself.`);
        }
        if ([...nodes.keys()].some((other) => other !== path && isWithin(path, other))) {
          throw new PlexiError(
            'INVALID_CALL',
            `${path} is a folder that is not empty; only empty ones can be removed.`,
          );
        }
        return nodes.delete(path);
      },
    }),
  };
}

function assertPlain(path: string): void {
  const problem = explainFilePath(path);
  if (problem !== undefined) throw new PlexiError('INVALID_CALL', `The path ${JSON.stringify(path)} ${problem}.`);
}

function makeFolder(nodes: Map<string, Node>, path: string): void {
  if (path === '/') return;
  makeFolder(nodes, folderOf(path));
  const there = nodes.get(path);
  if (there?.bytes !== undefined) throw new PlexiError('INVALID_CALL', `${path} is no folder.`);
  if (there === undefined) nodes.set(path, { bytes: undefined, modified: Date.now() });
}

function find(nodes: ReadonlyMap<string, Node>, path: string): Node {
  const node = nodes.get(path);
  if (node === undefined) throw new PlexiError('NOT_FOUND', `${path} does not exist.`);
  return node;
}

function entryOf(path: string, { bytes, modified }: Node): FileEntry {
  return { path, kind: bytes === undefined ? 'folder' : 'file', size: bytes?.byteLength ?? 0, modified };
}

function listNodes(nodes: ReadonlyMap<string, Node>, { folder, recursive, limit, cursor }: FileList): FilePage {
  const entries = [...nodes]
    .filter(([path]) => path !== folder && isWithin(folder, path) && (recursive || folderOf(path) === folder))
    .sort(([one], [other]) => inOrder(one, other))
    .filter(([path]) => cursor === undefined || inOrder(path, cursor) > 0)
    .map(([path, node]) => entryOf(path, node));
  const page = entries.slice(0, limit);
  const last = page.at(-1);
  return page.length === entries.length || last === undefined
    ? { entries: page }
    : { entries: page, cursor: last.path };
}

/** Name by name: what is in a folder comes right after it. */
function inOrder(one: string, other: string): number {
  const [left, right] = [one.split('/').join('\0'), other.split('/').join('\0')];
  return left < right ? -1 : left > right ? 1 : 0;
}

function pieceOf(bytes: Uint8Array): ByteSource {
  const pieces = bytes.byteLength === 0 ? [] : [bytes];
  return { read: async () => pieces.shift(), cancel: () => void pieces.splice(0) };
}

async function readBody(body: BodyRef, streams: FakeStreams): Promise<Uint8Array> {
  if (body.kind === 'none') return new Uint8Array();
  if (body.kind === 'text') return new TextEncoder().encode(body.text);
  const source = streams.take(body.stream);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let piece = await source.read(); piece !== undefined; piece = await source.read()) {
    pieces.push(new Uint8Array(piece));
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
