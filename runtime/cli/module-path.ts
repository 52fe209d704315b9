import { isModuleName } from '../management/module-input.ts';
import { UserError } from './user-error.ts';

/** Boundary: a name is a step of the path, so `..` and slashes never get that far. @throws UserError */
export function modulePath(name: string, rest = ''): string {
  if (isModuleName(name)) return `/api/v1/modules/${name}${rest}`;
  throw new UserError(
    `${JSON.stringify(name)}: no module can have that name; "plexi modules list" shows those there are.`,
  );
}
