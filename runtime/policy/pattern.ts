/** `pattern` of a guest's schema, run in linear time: RE2 has no backtracking, so no input can make it explode. */
import { RE2JS } from 're2js';

export interface LinearPattern {
  readonly source: string;
  /** Size of the compiled program: the price of one character. */
  readonly cost: number;
  test(text: string): boolean;
}

const MAX_SOURCE_LENGTH = 512;
const MAX_ESTIMATE = 40_000;
const MAX_PROGRAM_SIZE = 2000;

/**
 * Boundary: the only place where a guest's regular expression is compiled.
 * @throws Error that says what is not supported
 */
export function readPattern(source: string): LinearPattern {
  if (source.length > MAX_SOURCE_LENGTH) {
    throw new Error(`has ${source.length} characters; at most ${MAX_SOURCE_LENGTH} are allowed`);
  }
  // Counted repeats are unrolled by the compiler: refuse the large ones before they cost anything.
  if (source.length * unrolledRepeats(source) > MAX_ESTIMATE) {
    throw new Error('repeats too much; use smaller {min,max} counts, or maxLength');
  }
  const compiled = compile(source);
  const cost = compiled.programSize();
  if (cost > MAX_PROGRAM_SIZE) throw new Error('is too large; use smaller {min,max} counts, or maxLength');
  return { source, cost, test: (text) => compiled.test(text) };
}

function unrolledRepeats(source: string): number {
  let total = 1;
  for (const [, least, , most] of source.matchAll(/\{(\d+)(,(\d*))?\}/g)) {
    total += Math.max(Number(least), Number(most ?? 0));
  }
  return total;
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown';
    throw new Error(`is not supported (${reason}); allowed is RE2 syntax: no look-around, no back-references`);
  }
}
