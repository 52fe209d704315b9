/** The data of a run, from the command line or from standard input. */
import { readStandardInput } from './read-standard-input.ts';
import { UserError } from './user-error.ts';

const MAX_BYTES = 64 * 1024;

/** JSON text; undefined when there is none. @throws UserError */
export async function readRunInput(given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const text = given === '-' ? await readStandardInput(MAX_BYTES, tooLong) : given;
  if (Buffer.byteLength(text) > MAX_BYTES) throw tooLong();
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new UserError(`--input: this is not JSON (${why}); a text needs quotes of its own: --input '"text"'.`);
  }
  return text;
}

function tooLong(): UserError {
  return new UserError(`--input: the data of a run may have at most ${MAX_BYTES} bytes.`);
}
