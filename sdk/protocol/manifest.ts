/**
 * What a module's config.yaml says. The schema is the source: the type, the editors' JSON Schema (sdk/config.schema.json),
 * the defaults and the error messages all come from it. Defaults are those of the guide's sample.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { TierSchema } from './declaration.ts';
import { DatabaseSchema } from './manifest-database.ts';

/** The version of the host's API that `plexichat: "^1.0"` is measured against. */
export const HOST_API_VERSION = '1.0.0';

export const MODULE_NAME_PATTERN = '^[a-z][a-z0-9_]{1,63}$';
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

/** The host's own doors: no module may claim one, a path below one, or a path above one. */
export const RESERVED_PREFIXES = [
  '/api/v1/modules',
  '/api/v1/tasks',
  '/api/v1/events',
  '/api/v1/notifications',
  '/api/v1/secrets',
  '/api/v1/security-events',
  '/api/v1/tokens',
  '/api/v1/audit',
  '/api/v1/console',
  '/api/v1/debug',
] as const;

const flag = (byDefault: boolean, description: string) => Type.Boolean({ default: byDefault, description });

const text = (maxLength: number, description: string) => Type.String({ default: '', maxLength, description });

const list = <T extends TSchema>(items: T, maxItems: number, description: string) =>
  Type.Array(items, { default: [], maxItems, uniqueItems: true, description });

/** A part of the file that may be left out: its own keys have defaults. */
const section = <P extends Record<string, TSchema>>(description: string, properties: P) =>
  Type.Object(properties, { additionalProperties: false, default: {}, description });

const DependencySchema = Type.String({
  pattern: '^[a-z][a-z0-9_]{1,63}(@.+)?$',
  patternErrorMessage: 'a module name, or a name and a version range such as weather@^1.2',
  maxLength: 150,
});

const PermissionSchema = Type.String({ minLength: 1, maxLength: 300 });

const ApiSchema = section('The HTTP API of the module.', {
  enabled: flag(true, 'Whether the endpoints are served.'),
  prefix: Type.String({
    pattern: '^/api(/[A-Za-z0-9_-]+)+$',
    patternErrorMessage:
      'a path below /api/ of letters, digits, "-" and "_", with no slash at the end, such as /api/v1/weather',
    maxLength: 200,
    default: '',
    description: 'Where the endpoints are served. Default: /api/v1/<module_name>. Unique, and none of the host’s own.',
  }),
  rate_limit: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests per minute and caller over all endpoints of the module.',
  }),
});

const WebuiSchema = section('The entry of the module in the console.', {
  enabled: flag(true, 'Whether the module’s pages and files are served.'),
  menu_title: Type.String({ default: '', maxLength: 100, description: 'Default: the module’s name in words.' }),
  menu_icon: Type.String({
    pattern: '^(fas|far|fab|fa-solid|fa-regular|fa-brands) fa-[a-z0-9]+(-[a-z0-9]+)*$',
    patternErrorMessage: 'a Font Awesome Free class name, such as "fas fa-puzzle-piece"',
    maxLength: 80,
    default: 'fas fa-puzzle-piece',
    description: 'A Font Awesome Free icon.',
  }),
  menu_order: Type.Integer({ default: 100, minimum: 0, maximum: 100_000, description: 'Lower numbers come first.' }),
});

const TasksSchema = section('Background tasks.', {
  enabled: flag(true, 'Whether the module’s tasks run.'),
  schedule: Type.String({
    default: '*/5 * * * *',
    minLength: 9,
    maxLength: 100,
    description: 'For tasks that name no schedule: cron with 5 or 6 fields.',
  }),
  timezone: Type.String({ default: 'UTC', maxLength: 64, description: 'An IANA time zone, such as Europe/Berlin.' }),
});

const SettingsSchema = Type.Object(
  {
    debug: flag(false, 'Debug mode: breakpoints and locals are shown in the console.'),
    log_level: Type.Enum(LOG_LEVELS, {
      default: 'INFO',
      description: 'The least important messages that the module’s logger keeps.',
    }),
  },
  { additionalProperties: true, default: {}, description: 'Free values for the module, see settings_schema.' },
);

const SecuritySchema = section('The floor for every endpoint of the module.', {
  require_authentication: flag(true, 'Whether callers must say who they are.'),
  admin_only: flag(false, 'Whether only the admin tier may call.'),
  rate_limiting: flag(true, 'Whether rate limits are applied.'),
});

const RuntimeSchema = section('What the module asks for; the operator’s limits cap it.', {
  memory_mb: Type.Integer({
    default: 64,
    minimum: 16,
    maximum: 8192,
    description: 'Heap and buffers of one instance.',
  }),
  timeout: Type.Number({
    default: 30,
    exclusiveMinimum: 0,
    maximum: 3600,
    description: 'Seconds that an endpoint may take.',
  }),
  cpu_ms: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 3_600_000, description: 'Milliseconds of CPU that one invocation may burn.' }),
  ),
  instances: Type.Integer({ default: 1, minimum: 1, maximum: 16, description: 'Threads that share the load.' }),
  concurrency: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 10_000,
    description: 'Invocations that one instance runs at once.',
  }),
  idle_timeout: Type.Number({
    default: 300,
    minimum: 1,
    maximum: 604_800,
    description: 'Seconds without work after which an instance goes to sleep.',
  }),
});

export const ManifestSchema = Type.Object(
  {
    module_name: Type.String({
      pattern: MODULE_NAME_PATTERN,
      patternErrorMessage: '2 to 64 lower-case letters, digits and "_", starting with a letter',
      description: 'The name that everything else knows the module by.',
    }),
    module_version: Type.String({ minLength: 5, maxLength: 100, description: 'Semantic version, such as 1.0.0.' }),
    module_description: text(1000, 'What the module is for, in one sentence.'),
    module_author: text(200, 'Who wrote it.'),
    module_license: text(100, 'SPDX name of the licence, such as MIT.'),
    enabled: flag(true, 'Whether the module may run.'),
    auto_load: flag(true, 'Whether it boots when the host starts; else it boots on first use.'),
    priority: Type.Integer({ default: 1, minimum: 0, maximum: 1_000_000, description: 'Lower numbers load first.' }),
    dependencies: list(DependencySchema, 64, 'Modules that must be loaded first: name, or name@^1.2.'),
    optional_dependencies: list(DependencySchema, 64, 'Modules that are loaded first if they are there.'),
    required_permissions: list(
      PermissionSchema,
      64,
      'What the module cannot do without, such as http:api.example.com.',
    ),
    optional_permissions: list(PermissionSchema, 64, 'What the module can do without.'),
    user_tier_access: Type.Array(TierSchema, {
      default: ['basic', 'premium', 'admin'],
      minItems: 1,
      maxItems: 3,
      uniqueItems: true,
      description: 'The tiers of users that may call the module at all.',
    }),
    api: ApiSchema,
    webui: WebuiSchema,
    tasks: TasksSchema,
    plexichat: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Versions of the host’s API that it works with: "^1.0".',
      }),
    ),
    settings: SettingsSchema,
    settings_schema: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'JSON Schema of the settings: the form in the console. writeOnly: true marks a secret.',
      }),
    ),
    database: DatabaseSchema,
    security: SecuritySchema,
    runtime: RuntimeSchema,
  },
  { additionalProperties: false, title: 'config.yaml of a PlexiChat module' },
);

/** A manifest after its defaults: every key is there, except the truly optional ones. */
export type Manifest = Static<typeof ManifestSchema>;
