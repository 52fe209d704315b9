/** The host's own settings: plexi.yaml, `PLEXI_*`, flags. The type, the defaults and runtime/plexi.schema.json come from here. */
import { TierSchema } from '@plexichat/sdk/protocol/declaration';
import { MODULE_NAME_PATTERN } from '@plexichat/sdk/protocol/manifest';
import { type Static, type TSchema, Type } from 'typebox';
import { writeSchema } from './editor-schema.ts';
import { PUBLISHER_PATTERN } from './publisher-key.ts';

const ModuleNameSchema = Type.String({
  pattern: MODULE_NAME_PATTERN,
  patternErrorMessage: 'a module name: lower-case letters, digits and "_", starting with a letter',
});

const section = <P extends Record<string, TSchema>>(description: string, properties: P) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description });

const names = (description: string) =>
  Type.Array(ModuleNameSchema, { default: [], maxItems: 10_000, uniqueItems: true, description });

const integer = (byDefault: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: byDefault, minimum, maximum, description });

const UrlSchema = (description: string) =>
  Type.String({
    pattern: '^https?://[^\\s]+$',
    patternErrorMessage: 'a URL that starts with https:// or http://',
    maxLength: 2000,
    description,
  });

const ApiKeySchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 100, description: 'Names the key in logs.' }),
    sha256: Type.String({
      pattern: '^[0-9a-f]{64}$',
      patternErrorMessage: 'the SHA-256 of the key: 64 lower-case hexadecimal digits',
      writeOnly: true,
      description: 'SHA-256 of the key, in hexadecimal. The key itself is written nowhere.',
    }),
    tier: TierSchema,
    permissions: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { default: [], maxItems: 256 }),
    sub: Type.String({ minLength: 1, maxLength: 256, description: 'The user that a caller with this key is.' }),
  },
  { additionalProperties: false },
);

const AuthSchema = section('Who callers are. Without a JWKS the host signs and checks tokens with its own secret.', {
  jwks_url: Type.Optional(UrlSchema('Where the public keys of the token issuer are.')),
  issuer: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'The only "iss" that is accepted.' })),
  audience: Type.Optional(
    Type.String({ minLength: 1, maxLength: 500, description: 'The only "aud" that is accepted.' }),
  ),
  api_keys: Type.Array(ApiKeySchema, { default: [], maxItems: 10_000, description: 'Callers that send X-API-Key.' }),
  failed_logins: section('Credentials that are no good, by the address that they come from.', {
    limit: integer(20, 1, 10_000, 'So many may fail in a window; more are answered with 429 until it ends.'),
    window_seconds: integer(60, 1, 3_600, 'How long a window is, from the first that fails.'),
  }),
});

const EgressSchema = section('What modules may reach over HTTP, besides their permissions.', {
  allow_private: Type.Array(
    Type.String({
      pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?:[1-9][0-9]{0,4}$',
      patternErrorMessage: 'host:port in lower case, such as localhost:8081',
      maxLength: 260,
    }),
    { default: [], maxItems: 1000, description: 'Hosts that may be reached although their address is private.' },
  ),
  timeout_seconds: Type.Number({ default: 10, exclusiveMinimum: 0, maximum: 300, description: 'For one request.' }),
  max_response_mb: Type.Number({ default: 10, exclusiveMinimum: 0, maximum: 1024, description: 'For one response.' }),
});

const LimitsSchema = section('What no module and no caller gets past.', {
  body_mb: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    maximum: 64,
    description: 'A body that is read whole (JSON).',
  }),
  upload_mb: Type.Number({
    default: 100,
    exclusiveMinimum: 0,
    maximum: 10_240,
    description: 'A body that is streamed.',
  }),
  file_mb: Type.Number({
    default: 100,
    exclusiveMinimum: 0,
    maximum: 10_240,
    description: 'A file that a module reads or writes.',
  }),
  max_timeout_seconds: Type.Number({
    default: 300,
    exclusiveMinimum: 0,
    maximum: 3600,
    description: 'Caps runtime.timeout.',
  }),
  max_memory_mb: integer(512, 16, 8192, 'Caps runtime.memory_mb.'),
  max_instances: integer(4, 1, 16, 'Caps runtime.instances.'),
  max_concurrency: integer(1024, 1, 10_000, 'Caps runtime.concurrency.'),
  max_cpu_ms: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 3_600_000,
      description: 'Caps runtime.cpu_ms, and is the budget of modules that name none.',
    }),
  ),
  calls_per_second: integer(5_000, 10, 1_000_000, 'Calls of one instance to the host; more are refused.'),
  bridge_mb_per_second: integer(
    16,
    16,
    1_024,
    'What one instance may send to the host; one that sends more is ended. Each call weighs at least 512 bytes.',
  ),
  storage_mb: Type.Number({
    default: 100,
    minimum: 1,
    maximum: 1_048_576,
    description: 'What a module with storage:large may keep in its storage; all others may keep 1 MB.',
  }),
  cache_mb: Type.Number({
    default: 4,
    exclusiveMinimum: 0,
    maximum: 1024,
    description: 'What the cache of one module may hold, in the memory of the host or in Redis.',
  }),
  log_lines_per_second: integer(500, 1, 100_000, 'Log lines of one instance; more are dropped and counted.'),
  connections_per_address: integer(
    1_000,
    1,
    10_000,
    'Open connections of one client address (IPv6: /64); not counted with trust_proxy, where the proxy does.',
  ),
  max_inflight: integer(2048, 1, 1_000_000, 'Requests in the host at once; more are shed with 503.'),
});

const DatabasesSchema = section('The databases of modules: one SQLite file each, in the data folder.', {
  query_seconds: Type.Number({
    default: 2,
    minimum: 0.1,
    maximum: 60,
    description:
      'How long a statement may take. The process that holds the databases is killed then: all wait so long.',
  }),
  transaction_seconds: Type.Number({
    default: 5,
    minimum: 0.1,
    maximum: 60,
    description: 'How long a transaction may be open before it is rolled back; the module’s other statements wait.',
  }),
  memory_mb: integer(256, 64, 65_536, 'What statements may take in one process that holds databases.'),
  max_quota_mb: integer(1_024, 1, 102_400, 'What one may grow to at most; a module that asks for more gets this.'),
});

const queueUrl = (pattern: string, allowed: string, description: string) =>
  Type.Optional(Type.String({ pattern, patternErrorMessage: allowed, maxLength: 2000, writeOnly: true, description }));

const TasksSchema = section('How tasks run. Without `redis` or `queue` the queue is embedded in the data folder.', {
  durability: Type.Union([Type.Literal('process'), Type.Literal('power-loss')], {
    default: 'process',
    description: 'What the embedded queue survives: the end of the process, or of the machine too (half as fast).',
  }),
  prefix: Type.String({
    default: 'plexi',
    pattern: '^[a-z][a-z0-9_]{0,30}$',
    patternErrorMessage: 'lower-case letters, digits and "_", starting with a letter',
    description: 'Sets the queues of this installation apart from others on the same server.',
  }),
  concurrency: integer(64, 1, 10_000, 'Runs that are under way at once in this host.'),
  per_module: integer(8, 1, 1000, 'Runs of one module that are under way at once in this host.'),
  max_waiting: integer(10_000, 1, 10_000_000, 'Runs of one module that may wait; more are refused.'),
  keep_days: Type.Number({
    default: 7,
    exclusiveMinimum: 0,
    maximum: 3650,
    description: 'How long ended runs are kept.',
  }),
  keep_runs: integer(2_000, 1, 1_000_000, 'Completed, and failed, runs that one queue keeps at most; the oldest go.'),
  grace_seconds: Type.Number({
    default: 5,
    minimum: 0,
    maximum: 300,
    description: 'How long a task may tidy up after its deadline before its thread is ended.',
  }),
  pause_after: integer(5, 1, 1000, 'Scheduled runs that fail in a row before their schedule pauses itself.'),
});

const EventsSchema = section('What modules and the chat host tell modules.', {
  emits_per_second: integer(100, 1, 100_000, 'Events that one module may emit a second; more are refused.'),
  max_waiting: integer(1_000, 1, 100_000, 'Events that may wait for one subscriber; more are dropped and counted.'),
});

const NotificationsSchema = section('What modules tell users.', {
  per_minute: integer(600, 1, 1_000_000, 'Notifications that one module may send a minute; more are refused.'),
  keep: integer(500, 1, 10_000, 'Notifications that are kept for one user; a fifth of them from one module.'),
  keep_days: Type.Number({ default: 30, exclusiveMinimum: 0, maximum: 3650, description: 'How long they are kept.' }),
  streams_per_user: integer(5, 1, 100, 'Streams of notifications that one user may have open at once.'),
});

export const HostSettingsSchema = Type.Object(
  {
    modules: Type.String({
      default: './modules',
      minLength: 1,
      maxLength: 4096,
      description: 'The folder of module folders.',
    }),
    port: integer(8080, 0, 65_535, 'The port to listen on; 0 takes a free one.'),
    host: Type.String({ default: '127.0.0.1', minLength: 1, maxLength: 255, description: 'The address to listen on.' }),
    data: Type.String({
      default: '.plexi',
      minLength: 1,
      maxLength: 4096,
      description: 'The folder of the host’s own data.',
    }),
    cells: Type.Union([Type.Literal('auto'), Type.Literal('per-module'), Type.Integer({ minimum: 1, maximum: 64 })], {
      default: 'auto',
      description: 'How many jailed processes hold the modules.',
    }),
    jail: Type.Union([Type.Literal('auto'), Type.Literal('bwrap')], {
      default: 'auto',
      description: 'What holds cells: `auto` uses what this machine has, `bwrap` insists on bubblewrap (Linux).',
    }),
    redis: queueUrl(
      '^rediss?://[^\\s]+$',
      'a URL that starts with redis:// or rediss://',
      'Keeps the task queue on Redis.',
    ),
    redis_options: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), {
      default: {},
      writeOnly: true,
      description: 'Options of ioredis, such as tls, sentinels and name; they go over what the URL says.',
    }),
    redis_cluster: Type.Array(
      Type.String({
        pattern: '^[^\\s:]+:[1-9][0-9]{0,4}$',
        patternErrorMessage: 'host:port',
        maxLength: 260,
      }),
      { default: [], maxItems: 100, description: 'Nodes of a Redis Cluster; the URL is not needed then.' },
    ),
    queue: queueUrl(
      '^postgres(ql)?://[^\\s]+$',
      'a URL that starts with postgres:// or postgresql://',
      'Keeps the task queue on PostgreSQL instead of Redis.',
    ),
    tasks: TasksSchema,
    databases: DatabasesSchema,
    events: EventsSchema,
    notifications: NotificationsSchema,
    audit: section('What operators did, as GET /api/v1/audit tells it.', {
      keep_days: Type.Number({ default: 365, exclusiveMinimum: 0, maximum: 3650, description: 'How long it is kept.' }),
      keep: integer(100_000, 1_000, 10_000_000, 'Entries that are kept at most; as many again of what modules did.'),
    }),
    metrics: section('GET /metrics, for Prometheus.', {
      public: Type.Boolean({ default: false, description: 'Whether it is open to callers without modules:read.' }),
    }),
    auth: AuthSchema,
    grants: Type.Record(
      ModuleNameSchema,
      Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 256 }),
      { default: {}, description: 'Permissions granted by module: { weather: ["http:api.example.com"] }.' },
    ),
    packages: section('Modules that are installed as packages.', {
      require_signature: Type.Boolean({ default: false, description: 'Whether a package must be signed.' }),
      versions: integer(10, 2, 1_000, 'Versions of one module that are kept; the oldest go when nobody may want them.'),
      total_mb: integer(2_048, 1, 1_048_576, 'All versions of all modules together, unpacked; more are refused.'),
    }),
    publishers: Type.Record(
      ModuleNameSchema,
      Type.Array(
        Type.String({
          pattern: PUBLISHER_PATTERN,
          patternErrorMessage: 'an Ed25519 key in base64, as "plexi sign" and "plexi verify" print it',
        }),
        { maxItems: 100 },
      ),
      { default: {}, description: 'Who may sign which module, besides who signed its first version here.' },
    ),
    upgrade: section('How another version of a module takes over.', {
      trial_seconds: Type.Number({
        default: 60,
        minimum: 0.1,
        maximum: 86_400,
        description: 'A version that fails so soon after it took over is rolled back by itself.',
      }),
    }),
    egress: EgressSchema,
    limits: LimitsSchema,
    log_level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      default: 'info',
      description: 'The least important messages that the host logs.',
    }),
    diagnostics: names('Modules whose stack traces are kept; one wall of their realm is down.'),
    trust_proxy: Type.Boolean({ default: false, description: 'Whether X-Forwarded-* of the peer is believed.' }),
    jit: section('Which modules may use the optimising compiler.', {
      full: names('Each gets a cell of its own: what TurboFan cannot interrupt harms only that module.'),
    }),
  },
  { additionalProperties: false, title: 'plexi.yaml, the settings of a PlexiChat module host' },
);

/** Settings after their defaults. */
export type HostSettings = Static<typeof HostSettingsSchema>;

/** The text of runtime/plexi.schema.json. */
export function writeHostSettingsSchema(): string {
  return writeSchema(HostSettingsSchema);
}
