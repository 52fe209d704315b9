/** `files`: folders of the host that the operator granted. Arguments and results of each method. */
import { type Static, Type } from 'typebox';
import { MAX_FILE_PATH_BYTES, MAX_LIST_ENTRIES } from '../file-path.ts';
import { BodyRefSchema } from '../invocation.ts';

/** Absolute and plain, see ../file-path.ts. */
const PathSchema = Type.String({ minLength: 2, maxLength: MAX_FILE_PATH_BYTES });

export const FileEntrySchema = Type.Object(
  {
    /** Absolute, as the module may ask for it again. */
    path: PathSchema,
    /** `other`: a link, a socket, a device; nothing can be done with it here. */
    kind: Type.Union([Type.Literal('file'), Type.Literal('folder'), Type.Literal('other')]),
    /** Bytes; 0 for what is no file. */
    size: Type.Integer({ minimum: 0 }),
    /** Of the last change, epoch milliseconds. */
    modified: Type.Integer(),
  },
  { additionalProperties: false },
);
export type FileEntry = Static<typeof FileEntrySchema>;

export const FileWriteSchema = Type.Object(
  {
    path: PathSchema,
    body: BodyRefSchema,
    /** false: a file that is there stays as it is. */
    overwrite: Type.Boolean(),
    /** true: on the disk before the call answers. */
    flush: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type FileWrite = Static<typeof FileWriteSchema>;

export const FileListSchema = Type.Object(
  {
    folder: PathSchema,
    recursive: Type.Boolean(),
    limit: Type.Integer({ minimum: 1, maximum: MAX_LIST_ENTRIES }),
    /** Of the page before: what comes after this path. */
    cursor: Type.Optional(PathSchema),
  },
  { additionalProperties: false },
);
export type FileList = Static<typeof FileListSchema>;

export const FilePageSchema = Type.Object(
  {
    entries: Type.Array(FileEntrySchema, { maxItems: MAX_LIST_ENTRIES }),
    /** There is more: `list` goes on with it. */
    cursor: Type.Optional(PathSchema),
  },
  { additionalProperties: false },
);
export type FilePage = Static<typeof FilePageSchema>;

const OpenedFileSchema = Type.Object({ entry: FileEntrySchema, body: BodyRefSchema }, { additionalProperties: false });
export type OpenedFile = Static<typeof OpenedFileSchema>;

/** All reject with PERMISSION_DENIED, INVALID_CALL, QUOTA_EXCEEDED or FILES_UNAVAILABLE. */
export const FILES_METHODS = {
  /** NOT_FOUND when there is no such file. */
  read: { args: Type.Tuple([PathSchema]), result: OpenedFileSchema },
  /** Whether it was written: false only without `overwrite`. */
  write: { args: Type.Tuple([FileWriteSchema]), result: Type.Boolean() },
  /** NOT_FOUND when there is no such folder. */
  list: { args: Type.Tuple([FileListSchema]), result: FilePageSchema },
  /** `null`: nothing is there. */
  stat: { args: Type.Tuple([PathSchema]), result: Type.Union([FileEntrySchema, Type.Null()]) },
  /** Whether something was there. */
  remove: { args: Type.Tuple([PathSchema]), result: Type.Boolean() },
} as const;
