/** The data of a run, from the command line or from standard input. */
import { UserError } from './user-error.ts';

const MAX_BYTES = 64 * 1024;

/** JSON text; undefined when there is none. @throws UserError */
export async function readRunInput(given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const text = given === '-' ? await readStandardInput() : given;
  if (Buffer.byteLength(text) > MAX_BYTES) throw tooLong();
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new UserError(`--input: this is not JSON (${why}); a text needs quotes of its own: --input '"text"'.`);
  }
  return text;
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_BYTES) throw tooLong();
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLong(): UserError {
  return new UserError(`--input: the data of a run may have at most ${MAX_BYTES} bytes.`);
}
