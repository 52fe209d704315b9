/** `users`: what a module with the permission `users:read` may ask about a user. */
import { Type } from 'typebox';
import { TierSchema } from '../declaration.ts';

const UserIdSchema = Type.String({ minLength: 1, maxLength: 256 });

export const USERS_METHODS = {
  /** `null`: there is no such user. */
  tier: { args: Type.Tuple([UserIdSchema]), result: Type.Union([TierSchema, Type.Null()]) },
  /** What the user may do; empty for a user that does not exist. */
  permissions: { args: Type.Tuple([UserIdSchema]), result: Type.Array(Type.String({ maxLength: 100 })) },
} as const;
