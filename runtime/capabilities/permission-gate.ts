/** The one place where a capability asks whether its module may do this: at every call, against what was granted. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { formatPermission, type Permission } from './permission.ts';
import { covers } from './permission-cover.ts';

export interface PermissionGate {
  /**
   * Boundary: throws unless the module was granted what it does. What was used, and what was denied, is noted.
   * @param action what it wanted, as the beginning of a sentence: "Looking up users"
   * @throws PlexiError PERMISSION_DENIED that names the permission
   */
  require(module: string, asked: Permission, action: string): void;
  /** The same question without a trace. */
  holds(module: string, asked: Permission): boolean;
}

export interface GateOptions {
  /** By module, as it stands now. */
  readonly granted: (module: string) => readonly Permission[];
  /** One of the grants was used; called at every call, so it has to be quick. */
  readonly onUsed?: (module: string, grant: Permission) => void;
  /** @param action as `require` got it */
  readonly onDenied?: (module: string, asked: Permission, action: string) => void;
}

export function createPermissionGate({ granted, onUsed, onDenied }: GateOptions): PermissionGate {
  return {
    require(module, asked, action) {
      const grant = granted(module).find((one) => covers(one, asked));
      if (grant !== undefined) {
        onUsed?.(module, grant);
        return;
      }
      onDenied?.(module, asked, action);
      throw new PlexiError('PERMISSION_DENIED', `${action} needs the permission ${formatPermission(asked)}.`);
    },
    holds: (module, asked) => granted(module).some((grant) => covers(grant, asked)),
  };
}
