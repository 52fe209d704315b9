/** What an operator reads before saying yes. */
import type { Permission } from './permission.ts';

export type Risk = 'low' | 'medium' | 'high';

export interface PermissionWords {
  readonly sentence: string;
  readonly risk: Risk;
}

/** @example describePermission({ capability: 'database' }).sentence // 'Keep data in a database of its own.' */
export function describePermission(permission: Permission): PermissionWords {
  switch (permission.capability) {
    case 'http':
      return describeHttp(permission.host, permission.port);
    case 'files':
      return permission.access === 'read'
        ? { sentence: `Read every file in ${permission.directory} and below it.`, risk: 'high' }
        : { sentence: `Create, change and delete files in ${permission.directory} and below it.`, risk: 'high' };
    case 'events':
      return {
        sentence: `Be told of every event named ${permission.pattern}, with what it says.`,
        risk: 'medium',
      };
    case 'modules':
      return { sentence: `Call the module ${permission.name}, with that module's permissions.`, risk: 'medium' };
    case 'users':
      return { sentence: "Look up users' tiers and permissions.", risk: 'medium' };
    case 'notifications':
      return { sentence: 'Send notifications to users.', risk: 'medium' };
    case 'storage':
      return { sentence: 'Keep more than 1 MB of values.', risk: 'low' };
    case 'database':
      return { sentence: 'Keep data in a database of its own.', risk: 'low' };
  }
}

function describeHttp(host: string, port: number | undefined): PermissionWords {
  const at = port === undefined ? '' : ` on port ${port}`;
  if (host.startsWith('*.')) {
    return { sentence: `Send data to, and read from, every host directly below ${host.slice(2)}${at}.`, risk: 'high' };
  }
  return { sentence: `Send data to, and read from, ${host}${at}.`, risk: 'medium' };
}
