/** A method's options as its declaration. What an author may have got wrong is refused here, with what is allowed. */
import type { MethodDeclaration } from '../protocol/declaration.ts';
import { METHOD_NAME_PATTERN } from '../protocol/method-limits.ts';
import { describeValue } from './describe-value.ts';
import type { MethodOptions } from './records.ts';

const OPTION_KEYS: Readonly<Record<keyof MethodOptions, true>> = { params: true, result: true, timeout: true };
const SCHEMA_KEYS = ['params', 'result'] as const;
const NAME = new RegExp(METHOD_NAME_PATTERN);
const MAX_TIMEOUT = 3600;

/**
 * @param name `Glossary.lookup`, for messages
 * @throws TypeError that names class, method, option, what was found and what is allowed
 */
export function declareMethod(method: string, options: MethodOptions, name: string): MethodDeclaration {
  if (!NAME.test(method)) {
    throw new TypeError(`${name}: a method that others call is named by at most 64 letters, digits and "_".`);
  }
  checkOptions(options, name);
  const schemas: MethodDeclaration['schemas'] = {};
  for (const key of SCHEMA_KEYS) {
    // A schema crosses as JSON: what typebox keeps beside it stays here.
    if (options[key] !== undefined) schemas[key] = JSON.parse(JSON.stringify(options[key]));
  }
  return { name: method, ...(options.timeout === undefined ? {} : { timeout: options.timeout }), schemas };
}

function checkOptions(options: unknown, name: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `${name}: @moduleMethod takes an object such as { params: Type.Object({}) }, found ${describeValue(options)}.`,
    );
  }
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(OPTION_KEYS, key)) continue;
    const allowed = Object.keys(OPTION_KEYS).join(', ');
    throw new TypeError(`${name}: @moduleMethod has no option "${key}"; allowed are ${allowed}.`);
  }
  const { timeout, ...schemas } = options as MethodOptions;
  for (const [key, schema] of Object.entries(schemas)) {
    if (schema === undefined || (typeof schema === 'object' && schema !== null && !Array.isArray(schema))) continue;
    throw new TypeError(
      `${name}: @moduleMethod: ${key} is ${describeValue(schema)}; allowed is a schema such as Type.Object({}).`,
    );
  }
  if (timeout === undefined || (typeof timeout === 'number' && timeout > 0 && timeout <= MAX_TIMEOUT)) return;
  throw new TypeError(
    `${name}: @moduleMethod: timeout is ${describeValue(timeout)}; allowed is a number of seconds above 0, at most ${MAX_TIMEOUT}.`,
  );
}
