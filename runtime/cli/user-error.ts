/** What the person at the terminal can mend: shown without a stack, exit code 1. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
