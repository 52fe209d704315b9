/** `cache`: values that may be gone at any time. They cross as the JSON text that the guest wrote and will read. */
import { type Static, Type } from 'typebox';
import { MAX_CACHED_TTL, MAX_CACHED_VALUE, MAX_KEY } from '../storage-limits.ts';

const KeySchema = Type.String({ minLength: 1, maxLength: MAX_KEY });
const ValueSchema = Type.String({ minLength: 1, maxLength: MAX_CACHED_VALUE });

export const CacheSetSchema = Type.Object(
  { key: KeySchema, value: ValueSchema, ttlMs: Type.Integer({ minimum: 1, maximum: MAX_CACHED_TTL }) },
  { additionalProperties: false },
);
export type CacheSet = Static<typeof CacheSetSchema>;

/** All reject with INVALID_CALL only: a cache that is away has nothing and keeps nothing. */
export const CACHE_METHODS = {
  /** `null`: it is not there. */
  get: { args: Type.Tuple([KeySchema]), result: Type.Union([ValueSchema, Type.Null()]) },
  set: { args: Type.Tuple([CacheSetSchema]), result: Type.Unknown() },
  delete: { args: Type.Tuple([KeySchema]), result: Type.Unknown() },
} as const;
