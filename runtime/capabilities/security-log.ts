/** What a module itself reports as suspicious; bounded where it is kept. */
import { SECURITY_LOG_METHODS } from '@plexichat/sdk/protocol/capabilities/security-log';
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { Compile } from 'typebox/compile';
import type { Capability } from './capability.ts';

export interface SecurityLogPort {
  /** Boundary: both texts are the module's own words. */
  report(module: string, name: string, details: string): void;
}

const checkArgs = Compile(SECURITY_LOG_METHODS.write.args);

export function createSecurityLogCapability(port: SecurityLogPort): Capability {
  return ({ module }) => ({
    write(...args) {
      if (!checkArgs.Check(args)) {
        throw new PlexiError('INVALID_CALL', 'securityLog.write takes { name, details }: a name and JSON as text.');
      }
      const [{ name, details }] = args;
      port.report(module, name, details);
    },
  });
}
