/** Why an operator's wish about a module's life is not done, in words for operators. */
import { PlexiError } from '@plexichat/sdk/protocol/errors';
import { PackageError } from '../packages/package-error.ts';
import type { ServedModule } from './served-module.ts';

export function refused(message: string, reasons: readonly string[] = []): PlexiError {
  const errors = reasons.map((reason) => ({ path: '/body', message: reason }));
  return new PlexiError('INVALID_INPUT', message, errors.length > 0 ? { errors } : {});
}

const MAX_ISSUES = 100;

/** What the packages refuse is what the operator sent. */
export function toProblem(error: unknown): unknown {
  if (!(error instanceof PackageError)) return error;
  const { fault, issues, message } = error;
  if (fault === 'too-large') return new PlexiError('PAYLOAD_TOO_LARGE', message);
  if (fault === 'busy') return new PlexiError('MODULE_UNAVAILABLE', message, { headers: { 'retry-after': '5' } });
  const errors = issues.slice(0, MAX_ISSUES).map((issue) => ({ path: `/body/${issue.path}`, message: issue.message }));
  return new PlexiError('INVALID_INPUT', 'This package cannot be installed.', { errors });
}

/** Those that are not switched off and cannot do without the module. */
function dependentsOf(name: string, modules: readonly ServedModule[]): readonly string[] {
  return modules
    .filter(
      ({ state, manifest }) =>
        state !== 'disabled' && manifest.dependencies.some((text) => text.split('@')[0] === name),
    )
    .map((module) => module.name);
}

/** @throws PlexiError INVALID_INPUT that names them */
export function assertNobodyNeeds(name: string, modules: readonly ServedModule[], what: string): void {
  const dependents = dependentsOf(name, modules);
  if (dependents.length === 0) return;
  throw refused(
    `${name} cannot be ${what}: ${dependents.join(', ')} cannot do without it. Disable or remove that first.`,
  );
}
