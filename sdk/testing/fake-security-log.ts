/** Keeps what a module tells the security log. */
import type { SecurityReport } from '../protocol/capabilities/security-log.ts';

export interface LoggedSecurityEvent {
  readonly name: string;
  readonly details: unknown;
}

export interface FakeSecurityLog {
  readonly events: readonly LoggedSecurityEvent[];
  readonly write: (report: SecurityReport) => void;
}

export function createFakeSecurityLog(): FakeSecurityLog {
  const events: LoggedSecurityEvent[] = [];
  return {
    events,
    write: ({ name, details }) => void events.push({ name, details: JSON.parse(details) as unknown }),
  };
}
