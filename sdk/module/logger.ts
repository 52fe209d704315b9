/** The module's logger. What lies below the level is a function that does nothing. */
import type { HostBinding, LogLevel } from './host-binding.ts';

export type LogFields = Readonly<Record<string, unknown>>;
export type LogMethod = (message: string, fields?: LogFields) => void;

/**
 * Writes to the module's log, which the operator sees. The level is `settings.log_level` of config.yaml.
 * @example
 * this.logger.info('Weather fetched', { city: 'Bonn', ms: 31 });
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}

const ORDER: Readonly<Record<string, number>> = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 4 };
const nothing: LogMethod = () => {};

/** @param level of config.yaml: DEBUG, INFO, WARNING, ERROR or CRITICAL */
export function createLogger(level: string, host: HostBinding): Logger {
  const threshold = ORDER[level] ?? 1;
  const at = (rank: number, name: LogLevel): LogMethod =>
    rank < threshold ? nothing : (message, fields) => host.log(name, String(message), fields);
  return Object.freeze({ debug: at(0, 'debug'), info: at(1, 'info'), warn: at(2, 'warn'), error: at(3, 'error') });
}
