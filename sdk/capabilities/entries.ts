/** What `storage` and `cache` ask of keys, values and times, in words for the author. */
import { describeValue } from '../module/describe-value.ts';
import { explainData, explainJson } from '../module/explain-json.ts';
import { messageOf } from '../module/outcome.ts';
import { nestsDeeperThan } from '../protocol/json-depth.ts';
import { MAX_KEY, MAX_VALUE_DEPTH } from '../protocol/storage-limits.ts';

/** @param call names the method in messages: `storage.get` @throws TypeError */
export function checkKey(call: string, key: unknown): asserts key is string {
  const problem = keyProblem(key);
  if (problem !== undefined) throw new TypeError(`${call}: the key ${problem}`);
}

/** The value as JSON text. @throws TypeError */
export function writeValue(call: string, key: string, value: unknown, maxCharacters: number): string {
  const refuse = (problem: string): never => {
    throw new TypeError(`${call}(${describeValue(key)}): the value ${problem}`);
  };
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    return refuse(`is not JSON: ${explainJson(value) ?? messageOf(error)}.`);
  }
  if (text === undefined) {
    if (value === undefined) return refuse('is undefined: use delete, or null for "nothing".');
    return refuse(`is not JSON: ${explainData(value) ?? 'its toJSON gives nothing'}.`);
  }
  if (text.length > maxCharacters) {
    return refuse(`has ${text.length} characters as JSON, at most ${maxCharacters} are allowed. Split it up.`);
  }
  if (nestsDeeperThan(text, MAX_VALUE_DEPTH)) return refuse(`nests deeper than ${MAX_VALUE_DEPTH} levels.`);
  const lost = typeof value === 'object' || typeof value === 'number' ? explainData(value) : undefined;
  return lost === undefined ? text : refuse(`is not JSON: ${lost}.`);
}

/** Milliseconds; undefined when the options name none. @throws TypeError */
export function readTtl(call: string, options: unknown, maxMs: number): number | undefined {
  checkOptions(call, options, ['ttl'], '{ ttl: 60 }');
  const { ttl } = options as { ttl?: unknown };
  if (ttl === undefined) return undefined;
  if (typeof ttl !== 'number' || !(ttl > 0 && ttl * 1000 <= maxMs)) {
    throw new TypeError(
      `${call}: ttl must be a number of seconds above 0 and at most ${maxMs / 1000} (${maxMs / DAY_MS} days), found ${describeValue(ttl)}.`,
    );
  }
  return ceil(ttl * 1000);
}

/** @throws TypeError when they are no object, or have other keys */
export function checkOptions(call: string, options: unknown, allowed: readonly string[], example: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${call}: the options must be an object such as ${example}, found ${describeValue(options)}.`);
  }
  for (const key of Object.keys(options)) {
    if (!allowed.includes(key)) {
      throw new TypeError(`${call}: the option "${key}" does not exist; allowed is ${allowed.join(', ')}.`);
    }
  }
}

const { stringify } = JSON;
const { ceil } = Math;
const DAY_MS = 24 * 60 * 60 * 1000;

function keyProblem(key: unknown): string | undefined {
  if (typeof key !== 'string') return `must be a text, found ${describeValue(key)}.`;
  if (key === '') return 'is empty.';
  if (key.length > MAX_KEY) return `has ${key.length} characters, at most ${MAX_KEY} are allowed.`;
  if (key.includes('\0')) return 'has the character NUL in it, which is not allowed.';
  return key.isWellFormed() ? undefined : 'has half of a character (a lone surrogate) in it, which is not allowed.';
}
