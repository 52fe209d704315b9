/** Reads a JSON body; says where it breaks when it does. */
import { isUtf8 } from 'node:buffer';
import { PlexiError } from '@plexichat/sdk/protocol/errors';

/** @throws PlexiError MALFORMED_BODY */
export function decodeText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new PlexiError('MALFORMED_BODY', 'The body is not valid UTF-8.');
  const bom = bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', bom ? 3 : 0);
}

/** @throws PlexiError MALFORMED_BODY with line and column */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { line, column } = place(text, breakingIndex(text, error));
    throw new PlexiError('MALFORMED_BODY', `The body is not valid JSON: it breaks at line ${line}, column ${column}.`);
  }
}

const MAX_SEARCHED = 10_000;

/** V8 names the position for some errors only; for the others the longest prefix that could still become JSON tells. */
function breakingIndex(text: string, error: unknown): number {
  const named = positionIn(error);
  if (named !== undefined) return named;
  if (text.length > MAX_SEARCHED) return isCutOff(error) ? text.length : 0;
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (couldContinue(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function couldContinue(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    return isCutOff(error) || positionIn(error) === prefix.length;
  }
}

function isCutOff(error: unknown): boolean {
  return error instanceof SyntaxError && /end of JSON input|Unterminated/.test(error.message);
}

function positionIn(error: unknown): number | undefined {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? undefined : Number(position);
}

function place(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const lastBreak = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: index - lastBreak };
}
