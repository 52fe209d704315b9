/** The host's side of everything that a module may call. */
import type { Capability } from '../capabilities/capability.ts';
import { createHttpEgress } from '../capabilities/http.ts';
import { createLogCapability } from '../capabilities/log.ts';
import { moduleLog } from '../capabilities/module-log.ts';
import { createPermissionGate } from '../capabilities/permission-gate.ts';
import { createTasksCapability, type TaskPort } from '../capabilities/tasks.ts';
import { createUsersCapability } from '../capabilities/users.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import type { CheckedModule } from '../modules/load.ts';
import type { Logger } from '../observability/log.ts';

export interface CapabilityParts {
  /** What each module was granted and holds, by name. */
  readonly powers: ReadonlyMap<string, CheckedModule>;
  readonly tasks: TaskPort;
  readonly log: Logger;
}

export interface Capabilities {
  readonly table: Readonly<Record<string, Capability>>;
  close(): Promise<void>;
}

const MB = 1024 * 1024;

export function createCapabilities(settings: HostSettings, { powers, tasks, log }: CapabilityParts): Capabilities {
  const { egress, auth } = settings;
  const granted = (module: string) => powers.get(module)?.grants ?? [];
  const gate = createPermissionGate({ granted });
  const http = createHttpEgress(
    {
      allowPrivate: new Set(egress.allow_private),
      timeoutMs: egress.timeout_seconds * 1000,
      maxResponseBytes: egress.max_response_mb * MB,
    },
    { granted, secret: (module, name) => powers.get(module)?.secrets.get(name) },
  );
  const users = new Map(auth.api_keys.map(({ sub, tier, permissions }) => [sub, { id: sub, tier, permissions }]));
  return {
    table: {
      http: http.capability,
      log: createLogCapability(moduleLog(log)),
      users: createUsersCapability({ find: (id) => users.get(id) }, gate),
      tasks: createTasksCapability(tasks),
    },
    close: () => http.close(),
  };
}
