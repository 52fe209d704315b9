/** What `user.login` says. Events come from elsewhere: nobody has checked their data. */
export interface Login {
  readonly user_id: string;
  /** For the greeting. */
  readonly name?: string;
}

const MAX_NAME = 80;

/** Undefined when the data says of nobody. */
export function readLogin(data: unknown): Login | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { user_id, name } = data as Partial<Record<keyof Login, unknown>>;
  if (typeof user_id !== 'string' || user_id === '' || user_id.length > 256) return undefined;
  return typeof name === 'string' && name !== '' ? { user_id, name: name.slice(0, MAX_NAME) } : { user_id };
}
