/** The host's side of everything that a module may call. */
import type { Breakpoints } from '../capabilities/breakpoints.ts';
import { createCacheCapability } from '../capabilities/cache.ts';
import type { Capability } from '../capabilities/capability.ts';
import { createDatabaseCapability, type DatabasePort } from '../capabilities/db.ts';
import { createDebugCapability } from '../capabilities/debug.ts';
import { createEventsCapability, type EventPort } from '../capabilities/events.ts';
import { createFilesCapability } from '../capabilities/files.ts';
import { createHttpEgress } from '../capabilities/http.ts';
import { createLogCapability, type ModuleLog } from '../capabilities/log.ts';
import { createModulesCapability, type ModulePort } from '../capabilities/modules.ts';
import { createNotificationsCapability, type NotificationPort } from '../capabilities/notifications.ts';
import { formatPermission, type Permission } from '../capabilities/permission.ts';
import { createPermissionGate, type PermissionGate } from '../capabilities/permission-gate.ts';
import { createSecurityLogCapability } from '../capabilities/security-log.ts';
import { createStorage } from '../capabilities/storage.ts';
import { createTasksCapability, type TaskPort } from '../capabilities/tasks.ts';
import { createUsersCapability } from '../capabilities/users.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import { createDebugMode } from '../modules/debug-mode.ts';
import type { CheckedModule } from '../modules/load.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { State } from '../state/state.ts';
import { createStorageEntries } from '../state/storage-entries.ts';
import { openCache } from './cache.ts';
import { hostFolders } from './host-folders.ts';
import type { Security } from './security.ts';

export interface CapabilityParts {
  /** Modules that may run, and the secrets of each, by name. */
  readonly powers: ReadonlyMap<string, CheckedModule>;
  readonly tasks: TaskPort;
  readonly events: EventPort;
  readonly notifications: NotificationPort;
  readonly modules: ModulePort;
  readonly breakpoints: Breakpoints;
  readonly state: State;
  readonly databases: DatabasePort;
  readonly security: Pick<Security, 'grants' | 'events' | 'settings'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the settings came from. */
  readonly settingsFile: string | undefined;
  readonly metrics: Pick<Metrics, 'modules'>;
  /** Where modules' own lines go. */
  readonly moduleLog: ModuleLog;
  readonly log: Logger;
}

export interface Capabilities {
  readonly table: Readonly<Record<string, Capability>>;
  readonly gate: PermissionGate;
  /** Forgets what is cached for a module. */
  readonly clearCache: (module: string) => void | Promise<void>;
  close(): Promise<void>;
}

const MB = 1024 * 1024;

export function createCapabilities(settings: HostSettings, parts: CapabilityParts): Capabilities {
  const { powers, tasks, events, notifications, modules, breakpoints, state, databases, security, log } = parts;
  const { egress, auth } = settings;
  const { grants } = security;
  // Boundary: while a module is being learnt it is asked what it declares, and has nothing of what it was granted.
  const granted = (module: string): readonly Permission[] => (powers.has(module) ? grants.granted(module) : []);
  const onUsed = (module: string, grant: Permission): void => grants.uses.note(module, grant);
  const onDenied = (module: string, asked: Permission, details: string): void =>
    security.events.record(module, { kind: 'permission_denied', name: formatPermission(asked), details });
  const gate = createPermissionGate({ granted, onUsed, onDenied });
  const http = createHttpEgress(
    {
      allowPrivate: new Set(egress.allow_private),
      timeoutMs: egress.timeout_seconds * 1000,
      maxResponseBytes: egress.max_response_mb * MB,
    },
    {
      granted,
      secret: (module, name) => {
        const value = powers.get(module)?.secrets.get(name);
        return value === undefined ? undefined : { value, hosts: powers.get(module)?.secretHosts.get(name) };
      },
      onUsed,
      onDenied: (module, reason) =>
        security.events.record(module, { kind: 'egress_denied', name: 'http', details: reason }),
      onTransfer: parts.metrics.modules.transferred,
    },
  );
  const files = createFilesCapability(
    {
      maxBytes: settings.limits.file_mb * MB,
      // Boundary: secrets, the state, modules' code and the host's own are nobody's files, however wide a grant is.
      sealed: hostFolders(settings, parts.settingsFile),
    },
    gate,
    { granted, onDenied },
  );
  const users = new Map(auth.api_keys.map(({ sub, tier, permissions }) => [sub, { id: sub, tier, permissions }]));
  const mayKeep = (module: string): boolean => powers.has(module);
  const storage = createStorage(createStorageEntries(state), gate, {
    mayKeep,
    largeBytes: settings.limits.storage_mb * MB,
    onFailure: (error) => log.warn({ err: error }, 'what expired in the storage of modules could not be swept'),
  });
  const cache = openCache(settings, log);
  const isInDebugMode = createDebugMode({
    environment: parts.environment,
    diagnostics: settings.diagnostics,
    settings: security.settings,
    onRefused: (module, message) => log.warn({ module }, message),
  });
  return {
    gate,
    clearCache: (module) => cache.clear(module),
    table: {
      http: http.capability,
      files,
      log: createLogCapability(parts.moduleLog),
      users: createUsersCapability({ find: (id) => users.get(id) }, gate),
      storage: storage.capability,
      cache: createCacheCapability(cache, mayKeep),
      db: createDatabaseCapability(databases, gate),
      tasks: createTasksCapability(tasks),
      events: createEventsCapability(events, gate),
      notifications: createNotificationsCapability(notifications, gate),
      modules: createModulesCapability(modules, gate),
      debug: createDebugCapability({
        isInDebugMode: async (module) => {
          const manifest = powers.get(module)?.manifest;
          return manifest !== undefined && isInDebugMode(manifest);
        },
        stop: (stop) => breakpoints.stop(stop),
      }),
      securityLog: createSecurityLogCapability({
        report: (module, name, details) => security.events.record(module, { kind: 'reported', name, details }),
      }),
    },
    close: async () => {
      await Promise.all([http.close(), storage.close(), cache.close()]);
    },
  };
}
