/** Module lines in the host's log, under the module's name and a level of its own. */

import type { Logger } from '../observability/log.ts';
import { printable } from '../observability/printable.ts';
import type { ModuleLog } from './log.ts';

export function moduleLog(log: Logger): ModuleLog {
  return {
    write(module, level, message, fields) {
      // Boundary: a module's fields stay under one key, so that none of them can pass for one of ours.
      log[level](fields === undefined ? { module } : { module, fields }, printable(message));
    },
  };
}
