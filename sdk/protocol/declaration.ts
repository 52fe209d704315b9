/**
 * What a module declares: learnt once in a throw-away sealed thread, checked by the host against these schemas
 * (a declaration is guest output), and cached by content hash.
 */
import { type Static, Type } from 'typebox';
import { METHOD_NAME_PATTERN } from './method-limits.ts';

export const TIERS = ['basic', 'premium', 'admin'] as const;
export const TierSchema = Type.Union([Type.Literal('basic'), Type.Literal('premium'), Type.Literal('admin')]);
export type Tier = Static<typeof TierSchema>;

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** A JSON Schema as a module wrote it; the host accepts an allow-listed, bounded subset (runtime/policy/schema.ts). */
export const JsonSchemaSchema = Type.Record(Type.String(), Type.Unknown());

export const EndpointDeclarationSchema = Type.Object(
  {
    /** Names the handler inside the guest: `GET /weather/:city`. Unique in a module. */
    handler: Type.String({ minLength: 5, maxLength: 512 }),
    method: Type.Union([
      Type.Literal('GET'),
      Type.Literal('POST'),
      Type.Literal('PUT'),
      Type.Literal('PATCH'),
      Type.Literal('DELETE'),
    ]),
    /** Below the module's prefix; `:name` is a parameter, a last `*` takes the rest. */
    path: Type.String({ pattern: '^/[A-Za-z0-9\\-._~!$&()+,;=@/:*]*$', maxLength: 500 }),
    permissions: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 32 }),
    userTiers: Type.Optional(Type.Array(TierSchema, { maxItems: 3 })),
    /** Requests per minute and caller. */
    rateLimit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    /** Seconds. */
    cacheTtl: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
    validateInput: Type.Boolean(),
    /** Seconds. */
    timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600 })),
    summary: Type.Optional(Type.String({ maxLength: 300 })),
    schemas: Type.Object(
      {
        params: Type.Optional(JsonSchemaSchema),
        query: Type.Optional(JsonSchemaSchema),
        body: Type.Optional(JsonSchemaSchema),
        response: Type.Optional(JsonSchemaSchema),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type EndpointDeclaration = Static<typeof EndpointDeclarationSchema>;

export const TaskDeclarationSchema = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }),
    schedule: Type.Optional(Type.String({ maxLength: 100 })),
    timezone: Type.Optional(Type.String({ maxLength: 64 })),
    retryCount: Type.Integer({ minimum: 0, maximum: 100 }),
    /** Seconds. */
    timeout: Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }),
    priority: Type.Union([Type.Literal('high'), Type.Literal('normal'), Type.Literal('low')]),
    overlap: Type.Union([Type.Literal('skip'), Type.Literal('queue'), Type.Literal('parallel')]),
    missed: Type.Union([Type.Literal('run-once'), Type.Literal('skip')]),
  },
  { additionalProperties: false },
);
export type TaskDeclaration = Static<typeof TaskDeclarationSchema>;

export const EventDeclarationSchema = Type.Object(
  {
    /** The method that handles it. */
    handler: Type.String({ minLength: 1, maxLength: 128 }),
    /** `user.login`, or `message.*`. */
    pattern: Type.String({ pattern: '^[a-z][a-z0-9_]*(\\.([a-z0-9_]+|\\*))*$', maxLength: 128 }),
  },
  { additionalProperties: false },
);
export type EventDeclaration = Static<typeof EventDeclarationSchema>;

export const PageDeclarationSchema = Type.Object(
  {
    handler: Type.String({ minLength: 1, maxLength: 128 }),
    path: Type.String({ pattern: '^/[A-Za-z0-9\\-._~/:]*$', maxLength: 200 }),
    title: Type.Optional(Type.String({ maxLength: 100 })),
  },
  { additionalProperties: false },
);
export type PageDeclaration = Static<typeof PageDeclarationSchema>;

/** What other modules may call, with `modules:call:NAME`. */
export const MethodDeclarationSchema = Type.Object(
  {
    name: Type.String({ pattern: METHOD_NAME_PATTERN }),
    /** Seconds. */
    timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600 })),
    schemas: Type.Object(
      { params: Type.Optional(JsonSchemaSchema), result: Type.Optional(JsonSchemaSchema) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type MethodDeclaration = Static<typeof MethodDeclarationSchema>;

export const DeclarationSchema = Type.Object(
  {
    endpoints: Type.Array(EndpointDeclarationSchema, { maxItems: 500 }),
    tasks: Type.Array(TaskDeclarationSchema, { maxItems: 100 }),
    events: Type.Array(EventDeclarationSchema, { maxItems: 100 }),
    pages: Type.Array(PageDeclarationSchema, { maxItems: 100 }),
    /** Absent: none. */
    methods: Type.Optional(Type.Array(MethodDeclarationSchema, { maxItems: 100 })),
    /** It takes other settings while it runs (onSettingsChanged). */
    settingsHook: Type.Optional(Type.Literal(true)),
  },
  { additionalProperties: false },
);
export type Declaration = Static<typeof DeclarationSchema>;
