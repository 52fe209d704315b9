/** What operators can look back at: lines of modules, who did what, what modules went through. */
import type { ModuleLog } from '../capabilities/log.ts';
import { moduleLog } from '../capabilities/module-log.ts';
import type { HostSettings } from '../config/settings-schema.ts';
import type { ConsoleOptions } from '../console/console.ts';
import { type KeptAudit, keepAudit } from '../management/keep-audit.ts';
import { LifeEvents } from '../management/life-events.ts';
import type { Registry } from '../modules/registry.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { ModuleLogs } from '../observability/module-logs.ts';
import { noteModuleLines } from '../observability/note-module-lines.ts';
import { AuditTrail } from '../state/audit-trail.ts';
import type { State } from '../state/state.ts';

export interface Watch extends Pick<KeptAudit, 'audit'> {
  readonly logs: ModuleLogs;
  /** For the host's own words: those about a module are kept with it. */
  readonly log: Logger;
  /** For modules' own words. */
  readonly moduleLog: ModuleLog;
  readonly trail: AuditTrail;
  readonly life: LifeEvents;
  /** What the console tells of. */
  readonly console: Required<Pick<ConsoleOptions, 'onLogin' | 'begin'>>;
  /** From now on it hears of every change. */
  follow(registry: Registry, metrics: Pick<Metrics, 'modules'>): void;
  /** Whoever follows lines or changes is told that this is the end. */
  end(): void;
  /** When nothing can happen any more. */
  close(): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function openWatch({ audit: kept }: Pick<HostSettings, 'audit'>, state: State, hostLog: Logger): Watch {
  const logs = new ModuleLogs();
  const log = noteModuleLines(hostLog, logs);
  const trail = new AuditTrail({
    state,
    onFailure: (error) => log.error({ err: error }, 'audit entries could not be written; they are tried again'),
    limits: { keepMs: kept.keep_days * DAY_MS, total: kept.keep },
  });
  const { audit, actorOn } = keepAudit({
    trail,
    log: (entry) => log.info({ ...entry, audit: true }, 'operator action'),
    logUnwritten: (attempt, error) =>
      log.warn(
        { ...attempt, err: error, audit: true },
        'operator action, done while the audit trail cannot be written',
      ),
  });
  const life = new LifeEvents({ trail, actorOn });
  return {
    logs,
    log,
    // Boundary: the host's own log, not the one above: a module's words are no words of the host about it.
    moduleLog: keepLines(moduleLog(hostLog), logs),
    trail,
    audit,
    life,
    console: {
      onLogin: ({ sub, credential }, address) =>
        trail.write({ action: 'console.login', operator: sub, details: { credential, address } }, 'done'),
      async begin({ sub, credential }, { method, path, requestId }) {
        const details = { credential, method, path, requestId };
        const id = await trail.begin({ action: 'console.queue', operator: sub, details });
        return (status) => trail.end(id, { outcome: status < 400 ? 'done' : `HTTP_${status}`, details });
      },
    },
    follow(registry, metrics) {
      registry.onChange((module, from) => {
        life.note(module, from, registry.get(module.name) === undefined);
        const isDown = module.state === 'crashed' || (module.state === 'parked' && from !== 'crashed');
        if (from !== undefined && isDown) metrics.modules.crashed(module.name);
      });
    },
    end() {
      logs.close();
      life.close();
    },
    close: () => trail.close(),
  };
}

function keepLines(log: ModuleLog, logs: ModuleLogs): ModuleLog {
  return {
    write(module, level, message, fields) {
      logs.write(module, 'module', level, message, fields === undefined ? undefined : JSON.stringify(fields));
      log.write(module, level, message, fields);
    },
  };
}
