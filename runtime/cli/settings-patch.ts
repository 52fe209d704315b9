/** `--set days=7 --set smtp.port=587 --unset city` as the change that the host is asked for. */
import { parseJsonOrNothing } from './parse-json.ts';
import { UserError } from './user-error.ts';

/** Without a prototype: names come from outside. */
type Patch = { [key: string]: unknown };

/**
 * @param schema of the form: a text stays a text where the module wants one
 * @throws UserError
 */
export function readPatch(module: string, schema: unknown, sets: readonly string[], unsets: readonly string[]): Patch {
  const patch = empty();
  for (const text of sets) {
    const at = text.indexOf('=');
    if (at < 1) throw new UserError(`--set ${JSON.stringify(text)}: allowed is name=value, such as days=7.`);
    const name = text.slice(0, at);
    const node = nodeAt(schema, name.split('.'));
    if (node?.writeOnly === true) {
      throw new UserError(
        `${name} is a secret, and arguments are seen by every user of this machine: plexi secrets set ${module} ${name}`,
      );
    }
    place(patch, name, typedValue(text.slice(at + 1), node));
  }
  for (const name of unsets) place(patch, name, null);
  return patch;
}

function typedValue(text: string, node: Patch | undefined): unknown {
  const isListed = Array.isArray(node?.enum) && node.enum.includes(text);
  if (node?.type === 'string' || isListed) return text;
  const value = parseJsonOrNothing(text);
  return value === undefined || value === null ? text : value;
}

function nodeAt(schema: unknown, steps: readonly string[]): Patch | undefined {
  let node = schema;
  for (const step of steps) {
    if (!isMap(node)) return undefined;
    // What is below a secret is part of it.
    if (node.writeOnly === true) return node;
    const { properties, additionalProperties } = node;
    node = isMap(properties) && Object.hasOwn(properties, step) ? properties[step] : additionalProperties;
  }
  return isMap(node) ? node : undefined;
}

function place(patch: Patch, name: string, value: unknown): void {
  const steps = name.split('.');
  const isBroken = steps.includes('');
  const last = steps.pop() ?? '';
  let here = patch;
  for (const step of steps) {
    here[step] ??= empty();
    const below = here[step];
    if (!isMap(below)) throw new UserError(`${JSON.stringify(name)} is below another setting that is named here.`);
    here = below;
  }
  if (isBroken || last in here) throw new UserError(`${JSON.stringify(name)} is named twice, or has an empty part.`);
  here[last] = value;
}

function empty(): Patch {
  return Object.create(null) as Patch;
}

function isMap(value: unknown): value is Patch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
