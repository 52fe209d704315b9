/** The security log as a free function, for code of a module that is not its class. */
import { logSecurityEventBy, type SecurityDetails } from '../capabilities/security-log.ts';
import { activeHost } from './active-host.ts';

/**
 * Tells the operator of something suspicious; it shows up under `GET /api/v1/security-events` with the name of the module.
 * Needs no permission. What a module reports more often than 20 times a minute is counted and not kept one by one. No
 * secret, token or password belongs into the details.
 * @throws TypeError when the name does not look like `login.failed`, or the details are no JSON of at most 2,000 characters
 * @example
 * await logSecurityEvent('login.failed', { userId: 'alice', attempts: 5 });
 */
export async function logSecurityEvent(name: string, details: SecurityDetails = {}): Promise<void> {
  await logSecurityEventBy(activeHost('logSecurityEvent'), name, details);
}
