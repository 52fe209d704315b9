/** Words of a module as the queue keeps them. */
import { printable } from '../observability/printable.ts';

/**
 * Boundary: without control characters, cut, and well-formed. PostgreSQL refuses NUL and half a surrogate pair, which a
 * module may write and a cut may leave; a failure that cannot be stored would never end its run.
 */
export function storable(text: string, maxCharacters: number): string {
  return printable(text).slice(0, maxCharacters).toWellFormed();
}
