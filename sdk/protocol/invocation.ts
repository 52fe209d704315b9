/**
 * One run of an endpoint's handler, as it crosses the bridge. The host writes requests and reads outcomes;
 * an outcome is guest output, so the host checks it against OutcomeSchema before it believes a word.
 */
import { type Static, Type } from 'typebox';
import { TierSchema } from './declaration.ts';

/** Who calls. `null` in a context means: nobody has said who they are. */
export const CallerSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 256 }),
    tier: TierSchema,
    permissions: Type.Array(Type.String({ maxLength: 100 }), { maxItems: 256 }),
  },
  { additionalProperties: false },
);
export type Caller = Static<typeof CallerSchema>;

export type HeaderPair = [name: string, value: string];

/** A body on the wire: nothing, text that fits in the head, or the number of a stream whose chunks follow. */
export const BodyRefSchema = Type.Union([
  Type.Object({ kind: Type.Literal('none') }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal('text'), text: Type.String() }, { additionalProperties: false }),
  Type.Object(
    { kind: Type.Literal('stream'), stream: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
    { additionalProperties: false },
  ),
]);
export type BodyRef = Static<typeof BodyRefSchema>;

/** Written by the host, trusted by the guest's kernel. */
export interface EndpointRequest {
  /** Names this invocation for `cancel`. */
  readonly invocation: number;
  /** EndpointDeclaration.handler */
  readonly handler: string;
  readonly method: string;
  /** Absolute, as the client wrote it (path and query). */
  readonly url: string;
  /** Lower-case names; no cookie, no authorization, no hop-by-hop header. */
  readonly headers: readonly HeaderPair[];
  /** Converted to the schema's types and valid, where a schema was given. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly user: Caller | null;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
}

const ErrorOutcomeSchema = Type.Object(
  {
    ok: Type.Literal(false),
    /** MODULE_HTTP_ERROR carries the author's own status; every other code takes its status from the error table. */
    code: Type.Union([
      Type.Literal('MODULE_ERROR'),
      Type.Literal('MODULE_HTTP_ERROR'),
      Type.Literal('INVALID_MODULE_RESPONSE'),
      Type.Literal('MALFORMED_BODY'),
      Type.Literal('PAYLOAD_TOO_LARGE'),
    ]),
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
    message: Type.String({ maxLength: 2000 }),
    /** Of the answer, such as Retry-After; only with MODULE_HTTP_ERROR. */
    headers: Type.Optional(
      Type.Array(Type.Tuple([Type.String({ maxLength: 256 }), Type.String({ maxLength: 8192 })]), { maxItems: 16 }),
    ),
    /** Only in diagnostic mode; for the operator's log, never for a client. */
    stack: Type.Optional(Type.String({ maxLength: 20_000 })),
  },
  { additionalProperties: false },
);

export const OutcomeSchema = Type.Union([
  Type.Object(
    {
      ok: Type.Literal(true),
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      headers: Type.Array(Type.Tuple([Type.String({ maxLength: 256 }), Type.String({ maxLength: 8192 })]), {
        maxItems: 64,
      }),
      body: BodyRefSchema,
    },
    { additionalProperties: false },
  ),
  ErrorOutcomeSchema,
]);
export type Outcome = Static<typeof OutcomeSchema>;
