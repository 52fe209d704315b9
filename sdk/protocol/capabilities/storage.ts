/** `storage`: key-value entries that a module keeps. Values cross as the JSON text that the guest wrote and will read. */
import { type Static, Type } from 'typebox';
import { MAX_KEY, MAX_LISTED_KEYS, MAX_STORED_TTL, MAX_STORED_VALUE } from '../storage-limits.ts';

const KeySchema = Type.String({ minLength: 1, maxLength: MAX_KEY });
const ValueSchema = Type.String({ minLength: 1, maxLength: MAX_STORED_VALUE });
const TtlSchema = Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_STORED_TTL }));

export const StorageSetSchema = Type.Object(
  { key: KeySchema, value: ValueSchema, ttlMs: TtlSchema },
  { additionalProperties: false },
);
export type StorageSet = Static<typeof StorageSetSchema>;

export const StorageSwapSchema = Type.Object(
  {
    key: KeySchema,
    /** What has to be there; null: nothing. */
    expected: Type.Union([ValueSchema, Type.Null()]),
    value: ValueSchema,
    ttlMs: TtlSchema,
  },
  { additionalProperties: false },
);
export type StorageSwap = Static<typeof StorageSwapSchema>;

export const StorageListSchema = Type.Object(
  {
    prefix: Type.String({ maxLength: MAX_KEY }),
    limit: Type.Integer({ minimum: 1, maximum: MAX_LISTED_KEYS }),
    /** Only keys after this one. */
    cursor: Type.Optional(KeySchema),
  },
  { additionalProperties: false },
);
export type StorageList = Static<typeof StorageListSchema>;

export const StorageKeysSchema = Type.Object(
  {
    keys: Type.Array(KeySchema, { maxItems: MAX_LISTED_KEYS }),
    /** Where the next list begins; null: there is no more. */
    cursor: Type.Union([KeySchema, Type.Null()]),
  },
  { additionalProperties: false },
);
export type StorageKeys = Static<typeof StorageKeysSchema>;

/** All reject with INVALID_CALL, QUOTA_EXCEEDED or STATE_UNAVAILABLE. */
export const STORAGE_METHODS = {
  /** `null`: there is no such key. */
  get: { args: Type.Tuple([KeySchema]), result: Type.Union([ValueSchema, Type.Null()]) },
  set: { args: Type.Tuple([StorageSetSchema]), result: Type.Unknown() },
  /** Whether there was one. */
  delete: { args: Type.Tuple([KeySchema]), result: Type.Boolean() },
  /** In the order of their code points. */
  list: { args: Type.Tuple([StorageListSchema]), result: StorageKeysSchema },
  /** Whether what was expected was there; nothing was changed otherwise. */
  compareAndSet: { args: Type.Tuple([StorageSwapSchema]), result: Type.Boolean() },
} as const;
