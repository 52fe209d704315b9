/** `http`: requests to the outside, made by the host. Arguments and results of each method. */
import { type Static, Type } from 'typebox';
import { BodyRefSchema } from '../invocation.ts';

const HeadersSchema = Type.Array(Type.Tuple([Type.String({ maxLength: 256 }), Type.String({ maxLength: 16_384 })]), {
  maxItems: 100,
});

export const HttpRequestSchema = Type.Object(
  {
    /** The guest's own number for this request; `cancel` names it. */
    id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    method: Type.String({ pattern: "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]{1,32}$" }),
    /** Absolute, http or https; may hold {{secret.name}}. */
    url: Type.String({ minLength: 8, maxLength: 8192 }),
    headers: HeadersSchema,
    body: BodyRefSchema,
    /** false: it is sent once. Else a request that can be repeated without harm is. */
    retry: Type.Optional(Type.Boolean()),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type HttpRequest = Static<typeof HttpRequestSchema>;

export const HttpResponseSchema = Type.Object(
  {
    status: Type.Integer({ minimum: 200, maximum: 599 }),
    statusText: Type.String(),
    /** After redirects. */
    url: Type.String(),
    headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
    body: BodyRefSchema,
  },
  { additionalProperties: false },
);
export type HttpResponse = Static<typeof HttpResponseSchema>;

export const HTTP_METHODS = {
  /** Rejects with EGRESS_DENIED, EGRESS_FAILED, PERMISSION_DENIED, QUOTA_EXCEEDED or INVALID_CALL. */
  fetch: { args: Type.Tuple([HttpRequestSchema]), result: HttpResponseSchema },
  /** The guest lost interest in the request with this id. */
  cancel: { args: Type.Tuple([Type.Integer({ minimum: 1 })]), result: Type.Unknown() },
} as const;
