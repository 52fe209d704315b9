/** Rows of an answer, one by one: a host of another version may say one thing that this command does not know. */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { oneLine } from './lines.ts';
import { HostError } from './user-error.ts';

export interface Rows<Row> {
  readonly rows: readonly Row[];
  /** A line about those that could not be read; empty when all could. */
  readonly note: string;
}

/** @param name of the list in the answer @throws HostError when there are rows and none can be read */
export function readRows<Schema extends TSchema>(
  name: string,
  found: readonly unknown[],
  schema: Schema,
): Rows<Static<Schema>> {
  const check = Compile(schema);
  const rows = found.filter((row) => check.Check(row));
  const odd = found.length - rows.length;
  if (odd === 0) return { rows, note: '' };
  const index = found.findIndex((row) => !check.Check(row));
  const [first] = check.Errors(found[index]);
  const what = oneLine(`/${name}/${index}${first?.instancePath ?? ''} ${first?.message ?? ''}`).slice(0, 200);
  if (rows.length === 0) {
    throw new HostError(`The host answered something that this command does not understand: ${what}.`);
  }
  return { rows, note: `${odd} ${odd === 1 ? 'row' : 'rows'} could not be read: ${what}.\n` };
}
