/** What the person at the terminal can mend: shown without a stack, exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A host that is not there, or that failed: shown without a stack, exit code 3. */
export class HostError extends Error {
  override readonly name = 'HostError';
}
