/** Fills in `default`s of properties that are missing; says whether it changed anything. */
import { type CheckRun, spend } from './check.ts';
import { isObject } from './check-object.ts';
import type { SchemaNode } from './schema-node.ts';

export type FillDefaults = (value: unknown, run: CheckRun) => boolean;

/** undefined when no default is anywhere in the schema, so that most bodies are not walked at all. */
export function compileDefaults(node: SchemaNode): FillDefaults | undefined {
  const fillers = [...objectFillers(node), ...itemFillers(node), ...(node.allOf ?? []).map(compileDefaults)].filter(
    (filler) => filler !== undefined,
  );
  if (fillers.length === 0) return undefined;
  return (value, run) => {
    let changed = false;
    for (const fill of fillers) if (fill(value, run)) changed = true;
    return changed;
  };
}

function objectFillers(node: SchemaNode): FillDefaults[] {
  const fillers: FillDefaults[] = [];
  for (const [name, schema] of node.properties ?? []) {
    const inside = compileDefaults(schema);
    const json = schema.default?.json;
    if (inside === undefined && json === undefined) continue;
    fillers.push((value, run) => {
      if (!isObject(value)) return false;
      spend(run, 1);
      if (Object.hasOwn(value, name)) return inside?.(value[name], run) ?? false;
      if (json === undefined) return false;
      spend(run, json.length);
      const filled: unknown = JSON.parse(json);
      inside?.(filled, run);
      // defineProperty, since assigning to `__proto__` would change the prototype.
      Object.defineProperty(value, name, { value: filled, enumerable: true, writable: true, configurable: true });
      return true;
    });
  }
  return fillers;
}

function itemFillers(node: SchemaNode): FillDefaults[] {
  const rest = node.items === undefined ? undefined : compileDefaults(node.items);
  const prefix = (node.prefixItems ?? []).map(compileDefaults);
  if (rest === undefined && prefix.every((fill) => fill === undefined)) return [];
  return [
    (value, run) => {
      if (!Array.isArray(value)) return false;
      spend(run, value.length);
      let changed = false;
      value.forEach((item: unknown, index) => {
        const fill = index < prefix.length ? prefix[index] : rest;
        if (fill?.(item, run) === true) changed = true;
      });
      return changed;
    },
  ];
}
